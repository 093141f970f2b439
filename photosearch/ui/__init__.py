"""The pages of `photosearch ui`: a web server for one person, on their own machine.

job         an index run in the background
background  work in a process beside the server
passes      all photos looked over in the background, while that is switched on
ocr         text in photos, read so
faces       faces, looked for so
settings    what was switched on
downloads   a model downloaded in the background
thumbnails  small pictures, kept in the library folder
copies      photos that are there more than once
queries     pictures that were put into the search box
examples    what to search for
reasons     why a photo was found
context     one library, and all of this for it
routes      what the page's scripts ask for, as JSON and pictures
scripts     these scripts, styles and texts
login       the page that asks for the password
page        the page itself, drawn by Gradio
app         all of it put together
server      started and stopped
"""
