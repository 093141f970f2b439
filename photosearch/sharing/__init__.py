"""Copies of photos for others: as one zip file, in a folder, or as a web album.

    wanted ──> making ──> zipped, or folder
                  └──> web_album ──┘

wanted     what is made of each photo: the original or a JPEG, with its position or without
making     photos to files, in their order; what cannot be read is left out, with the reason
exif       what a copy says of itself, written anew from what the library knows
bare       JPEGs and videos without all else that they say
web_album  the pages of an album, around its pictures
zipped     files as a zip file, made while it is sent
folder     files in a folder, where nothing is overwritten
"""
