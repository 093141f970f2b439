"""The words of dates in English and German, as `tokens` writes them: small, ä as ae, ' left out."""

from __future__ import annotations


def these(text: str) -> list[str]:
    """The words of a list."""
    return text.split()


MONTHS = these(
    "january february march april may june july august september october november december"
)
_GERMAN_MONTHS = these(
    "januar februar maerz april mai juni juli august september oktober november dezember"
)
MONTH: dict[str, int] = {
    name: number
    for names in (MONTHS, _GERMAN_MONTHS)
    for number, full in enumerate(names, 1)
    for name in (full, full[:3])
} | {"jaenner": 1, "feber": 2, "mrz": 3, "sept": 9}
del MONTH["mae"]
# Those that mean nothing else, and so are dates by themselves at the end of a description.
SURE_MONTHS = frozenset(
    these(
        "january february july september october november december "
        "januar februar maerz juli oktober dezember jaenner"
    )
)
# Verbs and nouns, too: "2 may flies", "a march of ants".
UNSURE_MONTHS = frozenset({"may", "march", "mar"})

_WEEKDAYS = these("monday tuesday wednesday thursday friday saturday sunday")
_GERMAN_WEEKDAYS = these("montag dienstag mittwoch donnerstag freitag samstag sonntag")
WEEKDAY: dict[str, int] = {
    name: number for names in (_WEEKDAYS, _GERMAN_WEEKDAYS) for number, name in enumerate(names)
} | {"sonnabend": 5}
# Only right before a date: "Sa, 3. Mai 2021".
SHORT_WEEKDAY: dict[str, int] = {
    name: number
    for names in ("mon tue wed thu fri sat sun", "mo di mi do fr sa so")
    for number, name in enumerate(these(names))
} | {"tues": 1, "thur": 3, "thurs": 3}

# The first month in the north.
SEASON: dict[str, int] = {
    "spring": 3,
    "springtime": 3,
    "summer": 6,
    "summertime": 6,
    "autumn": 9,
    "fall": 9,
    "winter": 12,
    "wintertime": 12,
    "fruehling": 3,
    "fruehjahr": 3,
    "sommer": 6,
    "herbst": 9,
}
SEASON |= {
    f"{name}s": SEASON[name] for name in ("fruehling", "fruehjahr", "sommer", "herbst", "winter")
}
SEASON["herbstes"] = 9

UNIT: dict[str, str] = {
    name: unit
    for unit, names in {
        "day": "day days tag tage tagen",
        "week": "week weeks woche wochen",
        "weekend": "weekend weekends wochenende wochenenden wochenendes",
        "month": "month months monat monate monaten monats",
        "year": "year years jahr jahre jahren jahres",
    }.items()
    for name in these(names)
}

NUMBER: dict[str, int] = {
    name: number
    for number, names in enumerate(
        (
            "a an one ein eine einem einen einer eines",
            "two zwei",
            "three drei",
            "four vier",
            "five fuenf",
            "six sechs",
            "seven sieben",
            "eight acht",
            "nine neun",
            "ten zehn",
            "eleven elf",
            "twelve zwoelf",
        ),
        1,
    )
    for name in these(names)
}
# "A few days ago" is a time of so many, at least and at most.
FEW: dict[str, tuple[int, int]] = {
    "few": (2, 6),
    "several": (3, 9),
    "couple": (2, 3),
    "paar": (2, 6),
    "einigen": (3, 9),
    "einige": (3, 9),
    "mehreren": (3, 9),
}

_ORDINALS = ("first", "second", "third", "fourth", "fifth")
ORDINAL: dict[str, int] = {name: number for number, name in enumerate(_ORDINALS, 1)}
for _number, _stem in enumerate(("erst", "zweit", "dritt", "viert", "fuenft"), 1):
    ORDINAL |= {_stem + end: _number for end in ("e", "en", "er", "es", "em")}
ORDINAL |= {f"letzt{end}": -1 for end in ("e", "en", "er", "es", "em")} | {"last": -1}
# What turns a number into one that counts: 3rd, 3.
ENDINGS = frozenset(these("st nd rd th te ten ter"))

# How many before the present one: "this" and "last" week, and the one before that.
BACK: dict[str, int] = {"this": 0, "last": 1, "past": 1, "previous": 1}
for _back, _stems in ((0, "dies"), (1, "letzt vorig vergangen"), (2, "vorletzt")):
    for _stem in these(_stems):
        BACK |= {_stem + end: _back for end in ("e", "en", "er", "es", "em")}
RECENT = frozenset(name for name, back in BACK.items() if back == 1)

# Parts of a month, a season or a year: which third.
THIRD: dict[str, int] = {
    "early": 0,
    "beginning": 0,
    "start": 0,
    "anfang": 0,
    "mid": 1,
    "middle": 1,
    "mitte": 1,
    "late": 2,
    "end": 2,
    "ende": 2,
}
WHOLE = frozenset(these("whole entire ganz ganze ganzen ganzer ganzes"))
HALF = frozenset({"half", "haelfte", "halbjahr"})
QUARTER = frozenset({"quarter", "quartal"})
WEEK_NUMBER = frozenset({"kw", "week", "woche", "kalenderwoche"})
WEEK_OF = frozenset({"week", "weekend", "woche", "wochenende", "wochenendes"})

DECADE: dict[str, int] = {
    "nineties": 1990,
    "eighties": 1980,
    "seventies": 1970,
    "sixties": 1960,
    "fifties": 1950,
    "forties": 1940,
    "thirties": 1930,
    "noughties": 2000,
}
for _decade, _stem in (
    (1990, "neunziger"),
    (1980, "achtziger"),
    (1970, "siebziger"),
    (1960, "sechziger"),
    (1950, "fuenfziger"),
    (1940, "vierziger"),
    (1930, "dreissiger"),
):
    DECADE |= {_stem: _decade, f"{_stem}n": _decade}
DECADE_END = frozenset({"s", "er", "ern"})

# Days by name: how many before today.
DAY_BACK: dict[tuple[str, ...], int] = {
    ("today",): 0,
    ("tonight",): 0,
    ("this", "morning"): 0,
    ("this", "afternoon"): 0,
    ("this", "evening"): 0,
    ("yesterday",): 1,
    ("last", "night"): 1,
    ("the", "day", "before", "yesterday"): 2,
    ("day", "before", "yesterday"): 2,
    ("heute",): 0,
    ("gestern",): 1,
    ("vorgestern",): 2,
}
HOURS = frozenset(
    these("morning afternoon evening night morgen frueh vormittag mittag nachmittag abend nacht")
)

# Before a date, and part of it.
SIDE: dict[str, str] = {
    "since": "since",
    "seit": "since",
    "ab": "since",
    "after": "after",
    "nach": "after",
    "before": "before",
    "vor": "before",
    "until": "until",
    "till": "until",
    "bis": "until",
}
IN = frozenset(these("in on during from of at over im am an aus von vom waehrend zu zum zur ueber"))
# With these a month alone is one.
IN_MONTH = frozenset(these("in during from im aus von vom waehrend"))
ARTICLE = frozenset(these("the der die das den dem des"))
ONE = frozenset(these("a an ein eine einem einen einer eines"))
OF = frozenset(these("of in im vom von des der am an"))
TO = frozenset(these("to until till through thru bis"))
AND = frozenset({"and", "und"})
OR = frozenset({"or", "oder"})
EVERY = frozenset(these("every each jeder jeden jedes jedem"))
ONWARD = frozenset({"on", "onward", "onwards", "an"})
AGO = frozenset({"ago", "earlier"})
OWN = frozenset(these("her his their my your our its ihren seinen meinen unseren"))

# After these a description goes on: what stands before them is not part of a noun.
GOES_ON = (
    IN
    | AND
    | OR
    | frozenset(SIDE)
    | frozenset(
        these(
            "with without but near by under behind beside no mit ohne bei neben unter hinter auf "
            "where while als when wo"
        )
    )
)
# What numbers count that look like years.
COUNTED = frozenset(
    these(
        "people persons men women children km m meter meters metre metres miles mile feet foot "
        "ft px pixel pixels euro euros dollar dollars pounds kg g years jahre menschen leute "
        "personen uhr x mm cm ml l watt volt hp ps rpm"
    )
)
# Followed by these, neither "spring" nor "fall" is a season.
NO_SEASON = frozenset(
    these("roll rolls onion onions water chicken mattress coil bed board guy greens")
)
