"""What the page's server and the API's share.

page_guard      who may ask the page's server for what: hosts, origins, sessions, sizes
token_guard     who may ask the API: programs that know the token
hosts           which names and addresses are this machine's
uploads         how much may be sent at once, by all together
library_thread  the library, on a thread of its own
shrinking       processes that make small pictures
forced_exit     the end, also where something cannot be woken
"""
