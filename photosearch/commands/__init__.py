"""The subcommands of `photosearch`, one a module, each with its click command as `command`.

A new one is a module here and its name in `photosearch.cli`:

    # photosearch/commands/count.py
    import click
    from photosearch.commands.opening import open_library
    from photosearch.commands.output import counted

    @click.command()
    @click.pass_context
    def command(ctx: click.Context) -> None:
        '''Print how many photos there are.'''
        with open_library(ctx) as library:
            click.echo(counted(library.status().photos, "photo"))

All modules are imported for `photosearch --help`, and only one to run it, so they import what is
heavy inside the function.
"""
