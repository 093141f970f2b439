"""Photos read, decoded and encoded on the machines of a Ray cluster; recorded here alone.

node     what runs on each machine: a pool of decoders, and the model
nodes    which machines there are, and what each is doing; the pool that an index run uses
"""
