"""The pages of `photosearch ui`: a web server for one person, on their own machine.

security    who may ask for what: hosts, origins, sessions, sizes
desk        the library, on a thread of its own
job         an index run in the background
aside       work in a process beside the server
reading     text in photos, read in the background
settings    what was switched on
downloads   a model downloaded in the background
shrinking   processes that make small pictures
thumbnails  small pictures, kept in the library folder
copies      photos that are there more than once
reasons     why a photo was found
routes      what the pages' scripts ask for, as JSON and pictures
page        the page itself, drawn by Gradio
app         all of it put together
server      started and stopped
"""
