"""Dates in a description, English and German: what they mean, and what is no date."""

from __future__ import annotations

from datetime import date

import pytest

from photosearch.errors import UsageError
from photosearch.search.dates import Calendar, Locale, meaning, phrases

# A Wednesday.
TODAY = date(2024, 7, 10)
BRITISH = Calendar(TODAY, Locale.of("en-GB"))


def said(text: str, calendar: Calendar = BRITISH) -> list[str]:
    return [phrase.said for phrase in phrases(text, calendar)]


def rest(text: str, calendar: Calendar = BRITISH) -> str:
    """What is left of a description without its dates."""
    for phrase in reversed(list(phrases(text, calendar))):
        text = text[: phrase.start] + text[phrase.end :]
    return " ".join(text.split())


# What a date means, and ways to write it; an en dash is written as a hyphen here.
MEANT = {
    # Years
    "2019": "in 2019|2019|im Jahr 2019|in the year 2019|the whole of 2019|das ganze Jahr 2019",
    "2018-2020": "2018-2020|2018 - 2020|2018 to 2020|2018 bis 2020|from 2018 to 2020"
    "|between 2018 and 2020|zwischen 2018 und 2020|von 2018 bis 2020|2018..2020",
    "2017-2018": "2017 to 2018|2017/2018|2017/18",
    "2018 or 2020": "2018 or 2020|in 2018 oder 2020|2018 and 2020",
    "2018, 2019 or 2020": "2018, 2019 and 2020|in 2018, 2019 or 2020",
    "2023": "last year|letztes Jahr|im letzten Jahr|a year ago|vor einem Jahr",
    "2024": "this year|dieses Jahr",
    "2022": "the year before last|vorletztes Jahr|2 years ago|vor zwei Jahren",
    "January-March 2019": "early 2019|Anfang 2019|the beginning of 2019|Q1 2019|1. Quartal 2019",
    "October-December 2019": "late 2019|Ende 2019|the end of 2019|4th quarter of 2019",
    "January-June 2021": "first half of 2021|erste Hälfte 2021|1. Halbjahr 2021",
    # Decades
    "1990-1999": "90s|in the 90s|the 1990s|1990er|aus den 90ern|the nineties|die neunziger Jahre"
    "|from the '90s|in den 1990er Jahren",
    "1997-1999": "late 90s|Ende der 90er",
    "2000-2009": "the 2000s|2000er|noughties",
    # Months
    "May 2021": "May 2021|im Mai 2021|05/2021|5/2021|2021-05|2021/05|2021.05|05.2021|5-2021"
    "|May, 2021|May of 2021|2021 in May|2021 May|den ganzen Mai 2021",
    "April-May 2018": "april to may 2018|April bis Mai 2018|from April to May 2018|april-may 2018"
    "|April 2018 to May 2018|Apr - May 2018|von April bis Mai 2018",
    "May-June 2020": "between may and june 2020|zwischen Mai und Juni 2020",
    "November 2019 - February 2020": "Nov 2019 to Feb 2020|from Nov to Feb 2020",
    "January or February 2020": "in january or february 2020|im Januar oder Februar 2020"
    "|january/february 2020|in January and February 2020",
    "May 2023": "im Mai letzten Jahres|last year in May|May last year|letztes Jahr im Mai",
    "June 2024": "last month|letzten Monat|im letzten Monat",
    "1-10 May 2021": "early May 2021|Anfang Mai 2021|the beginning of May 2021",
    "11-20 May 2021": "mid-May 2021|Mitte Mai 2021|the middle of May 2021",
    "21-31 May 2021": "late May 2021|Ende Mai 2021|the end of May 2021",
    "May (any year)": "in May|im Mai|every May|jeden Mai|den ganzen Mai",
    "December (any year)": "december|in december|im Dezember",
    "May or June (any year)": "in May or June|im Mai oder Juni",
    "May-June (any year)": "from May to June|May to June|von Mai bis Juni",
    "1-10 May (any year)": "early May|Anfang Mai",
    # Seasons
    "June-August 2019": "summer 2019|Sommer 2019|in the summer of 2019|summer '19|im Sommer 2019",
    "June-August 2023": "last summer|letzten Sommer|im letzten Sommer|summer last year",
    "June-August 2022": "the summer before last|vorletzten Sommer",
    "September-November 2019": "fall 2019|autumn 2019|in the fall of 2019|Herbst 2019",
    "March-May 2021": "spring 2021|Frühling 2021|Frühjahr 2021",
    "December 2019 - February 2020": "winter 2019/2020|Winter 2019/20|winter 2019-20|winter 2019",
    # Days
    "3 May 2021": "2021-05-03|2021/05/03|2021.05.03|20210503|3.5.2021|03.05.2021|3. 5. 2021|3.5.21"
    "|03/05/2021|3/5/2021|03-05-2021|3 May 2021|3. Mai 2021|May 3, 2021|the 3rd of May 2021"
    "|on 3 May 2021|am 3. Mai 2021|3rd May 2021|Mon 3 May 2021|Mo, 3. Mai 2021|May 3rd 2021",
    "24 December 2020": "24/12/2020|12/24/2020|Christmas Eve 2020|Heiligabend 2020|24. Dez. 2020",
    "3-5 May 2021": "3-5 May 2021|3. bis 5. Mai 2021|May 3-5, 2021|from 3 to 5 May 2021"
    "|vom 3. bis 5. Mai 2021|3.5.2021-5.5.2021|vom 3.5. bis 5.5.2021|2021-05-03..2021-05-05",
    "24 December (any year)": "24 December|on 24/12|am 24.12.|24. Dezember|December 24th|24 Dec",
    "3 May (any year)": "on 3 May|am 3. Mai|3rd of May|03/05|on 3/5",
    "10 July 2024": "today|heute|this morning|tonight|0 days ago",
    "9 July 2024": "yesterday|gestern|gestern Abend|last night|1 day ago|vor einem Tag",
    "8 July 2024": "the day before yesterday|vorgestern|last Monday|letzten Montag|on Monday"
    "|am Montag|vor 2 Tagen|two days ago",
    "10 July 2023": "today last year|today a year ago|a year ago today|heute vor einem Jahr"
    "|this day last year|vor einem Jahr heute",
    "4-8 July 2024": "a few days ago|vor ein paar Tagen",
    # Weeks
    "1-7 July 2024": "last week|letzte Woche|vorige Woche|past week",
    "24-30 June 2024": "the week before last|vorletzte Woche|vor 2 Wochen|two weeks ago",
    "6-7 July 2024": "last weekend|letztes Wochenende|am letzten Wochenende",
    "13-14 July 2024": "this weekend|dieses Wochenende",
    "1-2 May 2021": "weekend of 1 May 2021|the weekend of May 1, 2021|Wochenende vom 1.5.2021",
    "4-5 May 2024": "weekend of 5 May|Wochenende vom 5. Mai",
    "1-7 May 2021": "first week of May 2021|erste Woche im Mai 2021|the 1st week of May 2021",
    "1-7 May (any year)": "first week of May|erste Woche im Mai",
    "9 May 2021": "second Sunday of May 2021|Muttertag 2021|zweiter Sonntag im Mai 2021",
    "31 May 2021": "last day of May 2021|letzter Tag im Mai 2021",
    "7-13 June 2021": "week 23 of 2021|KW 23 2021|2021-W23|KW23/2021",
    # The time up to now
    "30 June - 10 July 2024": "the last 10 days|die letzten zehn Tage|in den letzten 10 Tagen",
    "10 July 2022 - 10 July 2024": "the last two years|in den letzten zwei Jahren",
    "10 January - 10 July 2024": "the past few months",
    "January 2024": "half a year ago|vor einem halben Jahr",
    # Feasts
    "31 December 2019 - 1 January 2020": "new year 2020|Jahreswechsel 2019/2020|new year 2019/20"
    "|Silvester 2019/2020",
    "31 December 2020": "Silvester 2020|new year's eve 2020|NYE 2020",
    "1 January 2020": "Neujahr 2020|new year's day 2020",
    "24-26 December 2019": "christmas 2019|Weihnachten 2019|xmas 2019|at Christmas 2019",
    "24-26 December 2023": "last christmas|letztes Weihnachten|christmas last year",
    "24-26 December (any year)": "Weihnachten|at christmas|zu Weihnachten",
    "24 December 2018 - 1 January 2019": "between christmas and new year 2019"
    "|zwischen Weihnachten und Neujahr 2019",
    "25 December 2019": "Christmas Day 2019|1. Weihnachtstag 2019|am ersten Weihnachtstag 2019",
    "15-18 April 2022": "easter 2022|Ostern 2022|over easter 2022",
    "29 March - 1 April 2024": "last easter|letzte Ostern",
    "22-24 May 2021": "Pfingsten 2021|Whitsun 2021",
    "31 October 2020": "halloween 2020",
    "31 October (any year)": "at halloween",
    "25 November 2021": "thanksgiving 2021",
    "4 July 2020": "4th of July 2020|July 4, 2020",
    "14 February 2020": "Valentine's Day 2020|Valentinstag 2020",
    "17 March 2020": "St. Patrick's Day 2020",
    "29 November 2020": "1. Advent 2020|erster Advent 2020",
    "29 November - 24 December 2020": "Advent 2020",
    "24 February 2020": "Rosenmontag 2020",
    "13-15 May 2021": "Eid al-Fitr 2021|Zuckerfest 2021",
    "12 February 2021": "Chinese New Year 2021",
    "4 November 2021": "Diwali 2021",
    # Limits
    "before 2020": "before 2020|vor 2020",
    "after 2020": "after 2020|nach 2020",
    "since 2019": "since 2019|seit 2019|ab 2019|from 2019 on|from 2019 onwards",
    "until May 2021": "until May 2021|bis Mai 2021|bis zum Mai 2021|till May 2021",
    "since May 2024": "since May|seit Mai",
    "before 3 May 2021": "before 3 May 2021|vor dem 3. Mai 2021",
    "since 9 July 2024": "since yesterday|seit gestern",
    "since June 2023": "since last summer|seit letztem Sommer",
    "until December 2019": "until the end of 2019|bis Ende 2019",
    "before 24 December 2023": "before Christmas|vor Weihnachten",
}


@pytest.mark.parametrize("meant", MEANT)
def test_dates_in_descriptions(meant: str) -> None:
    for text in MEANT[meant].split("|"):
        found = [one.replace("\N{EN DASH}", "-") for one in said(f"dogs {text}")]
        assert (text, found, rest(f"dogs {text}")) == (text, [meant], "dogs")


def test_dates_stand_anywhere() -> None:
    assert rest("2019 dogs in the snow") == "dogs in the snow"
    assert rest("Rome 2019 sunset") == "Rome sunset"
    assert rest("summer 2019 dress") == "dress"
    assert rest("Oma Weihnachten bei uns 2019") == "Oma bei uns"
    assert said("dogs in May, cats since 2020") == ["May (any year)", "since 2020"]


@pytest.mark.parametrize(
    "text",
    """may|march|second|sun|fall|a may tree|march of penguins|in march of penguins|a march of ants
    spring roll|last spring roll|spring water|summer dress|summer in the city|forest in winter
    2 may flies|may 2|this may be a dog|the last march of the ants|dogs that may bark
    sunset in the sun|the second dog|second hand shop|first snow|the fall of a tree|mai tai
    christmas tree|halloween costume|easter eggs|new year fireworks|halloween
    at 12:30|f/2.8|24/7 shop|4/5 stars|1920x1080|1920-1080|version 1.2.3|5.5 inch|10-12 people
    a 1967 mustang|2000 people in a stadium|IMG_2021.jpg|red-2021-car|1,000 people|day 3
    woman in her 20s|1950s car|90s party|one year old baby|4 weeks old kitten|an apple a day
    day and night|early morning|late night|mid century house|end of the road|a week of rain
    before sunrise|after rain|until the end|from the sea|red to blue|on the table|at night|over
    vor dem Haus|nach Hause|Zug nach Wien|bis zum Horizont|der Mai ist gekommen|ein Sommerkleid
    Herbst im Wald|Frühlingsblumen|dies ist ein Hund|diese Katze|ein 1990er Porsche|april|june
    """.replace("\n", "|").split("|"),
)
def test_words_that_are_no_dates_stay(text: str) -> None:
    assert said(text.strip()) == []


def test_what_is_ambiguous_the_locale_decides() -> None:
    for tag, meant in (
        ("en-US", "5 April 2021"),
        ("en", "5 April 2021"),
        ("C.UTF-8", "5 April 2021"),
        ("en-GB", "4 May 2021"),
        ("en_AU.UTF-8", "4 May 2021"),
        ("de", "4. Mai 2021"),
        ("de-CH", "4. Mai 2021"),
        ("fr-FR", "4 mai 2021"),
    ):
        calendar = Calendar(TODAY, Locale.of(tag))
        assert said("dogs 04/05/2021", calendar) == [meant]
        # With points the day comes first everywhere.
        [day] = said("dogs 4.5.2021", calendar)
        assert day.replace(".", "").lower() in ("4 may 2021", "4 mai 2021")
    with pytest.raises(UsageError, match="no locale"):
        Locale.of("?")


def test_feasts_are_those_of_the_country() -> None:
    def when(feast: str, tag: str) -> list[str]:
        return said(feast, Calendar(TODAY, Locale.of(tag)))

    assert when("mother's day 2021", "en-GB") == ["14 March 2021"]
    assert when("mother's day 2021", "en-US") == ["9 May 2021"]
    assert when("thanksgiving 2021", "en-CA") == ["11 October 2021"]
    assert when("Vatertag 2021", "de-DE") == ["13. Mai 2021"]
    assert when("Vatertag 2021", "de-AT") == ["13. Juni 2021"]


def test_chips_are_in_the_language_of_the_locale() -> None:
    german = Calendar(TODAY, Locale.of("de-DE"))
    assert said("Hunde seit dem 3. Mai 2021", german) == ["seit dem 3. Mai 2021"]
    assert said("Hunde vor 2020", german) == ["vor 2020"]
    assert said("Hunde im März oder April 2020", german) == ["März oder April 2020"]
    assert said("Hunde im Mai", german) == ["Mai (jedes Jahr)"]


def test_seasons_of_the_south() -> None:
    southern = Calendar(TODAY, BRITISH.locale, southern=True)
    found = list(phrases("beach summer 2019", southern))
    assert [(one.spans[0].start, one.spans[0].end) for one in found] == [  # type: ignore[union-attr]
        (date(2019, 12, 1), date(2020, 3, 1))
    ]
    assert found[0].seasonal
    assert not next(phrases("beach May 2019", southern)).seasonal


@pytest.mark.parametrize(
    "text", ["31/02/2021", "2021-13-01", "13/2021", "31 April 2021", "30.2.2021"]
)
def test_days_that_do_not_exist_are_told(text: str) -> None:
    (found,) = phrases(f"dogs {text}", BRITISH)
    assert (found.spans, found.start, found.end) == ((), 5, 5 + len(text))
    assert meaning(text, BRITISH) is None


def test_a_feast_that_moves_is_found_in_all_years() -> None:
    (found,) = phrases("Familie an Ostern", BRITISH)
    assert found.said == "Ostern (any year)"
    days = {(span.start, span.end) for span in found.spans}  # type: ignore[union-attr]
    assert (date(2022, 4, 15), date(2022, 4, 19)) in days
    assert (date(1999, 4, 2), date(1999, 4, 6)) in days
