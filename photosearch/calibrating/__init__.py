"""Cut-offs for models that bring none: fitted on the photos of a library, which have no labels.

texts.txt   a bank of short descriptions, of what photos often show
carried.py  a calibration carried from one model to another
own.py      the calibrations of a library, kept in its folder
fitting.py  when one is fitted, and on which photos
"""
