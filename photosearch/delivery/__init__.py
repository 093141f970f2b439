"""Photos over HTTP, as the page and the API hand them out: files, parts of them, small pictures."""
