"""A model made smaller and quicker: its weights in 8 bits, where it finds the same by them.

graphs.py     one network with its weights in 8 bits, in two ways
photos.py     the photos of a library on which two encoders are compared
agreement.py  whether two encoders find the same, and which is quicker
run.py        a bundle of the networks that do, beside the one that they are made of
"""
