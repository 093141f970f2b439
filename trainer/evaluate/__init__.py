"""Evaluation: what a model bundle can do, measured on the files that are shipped.

Every figure carries its 95% interval, its chance line and the number of candidates ranked::

    encoder = open_encoder("assets/models/mobileclip-nano")
    measures = measure_folder(encoder, Path("caltech101"))       # zero_shot; also captioned, ...
    print(markdown(measures))
"""
