"""The pages in a window of their own.

instance  one window for each library; a second start brings the first one forward
windows   the window: pywebview's, a browser's without its bars, or a browser's tab
app       server and window, started and ended together
"""
