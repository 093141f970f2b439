"""A small model of one's own, taught by a large one on the photos of a library.

library    which photos there are, and the words that their owner uses
shrunk     the photos as shards are made of them: small, from where they lie
bank       texts to teach with, in place of captions
student    the student's configuration, and its export
agreement  how far the student finds what the teacher finds
judged     a calibration by the teacher's judgement
run        all of it, a step after the other
"""
