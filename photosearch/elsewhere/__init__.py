"""Photos that are not in a folder but at an address: s3://bucket/photos, sftp://host/photos.

addresses  which there are, and which are refused
servers    what answers for them, by fsspec, opened once in each process
listing    the files below an address
files      reading one

Nothing is ever written there. Who may read is said by what fsspec's own libraries read: variables
of the environment, files in the home folder.
"""
