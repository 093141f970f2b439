"""Faces in photos: found, described by vectors, and grouped by who they are. Only when asked for.

model      the two networks: one finds faces, the other describes each by a vector
aligning   a face turned and scaled as the second network wants it
run        looking for faces in all photos
grouping   which faces are one person's
questions  which groups may be, and what to ask first
"""
