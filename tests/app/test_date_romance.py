"""Dates in French and Spanish, where the locale is theirs: what they mean, and what is no date."""

from __future__ import annotations

from datetime import date

import pytest

from photosearch.search.dates import Calendar, Locale, meaning, phrases

# A Wednesday.
TODAY = date(2024, 7, 10)
CALENDARS = {tag: Calendar(TODAY, Locale.of(tag)) for tag in ("fr-FR", "es-ES", "en-GB")}

# What a date means, as a chip says it with plain hyphens, and ways to write it.
FRENCH = {
    "2019": "2019|en 2019|l'année 2019|toute l'année 2019",
    "2018-2020": "de 2018 à 2020|entre 2018 et 2020|2018-2020",
    "2023": "l'année dernière|l'an dernier|il y a un an|l'an passé",
    "2024": "cette année",
    "2021": "il y a trois ans|il y a 3 ans",
    "janvier-mars 2019": "début 2019|au début de 2019",
    "octobre-décembre 2019": "fin 2019|à la fin de 2019|4e trimestre 2019",
    "1990-1999": "années 90|les années 1990|dans les années 90|les années quatre-vingt-dix",
    "mai 2021": "mai 2021|en mai 2021|05/2021|au mois de mai 2021|Mai 2021",
    "mai-juin 2018": "de mai à juin 2018|entre mai et juin 2018|mai à juin 2018",
    "janvier ou février 2020": "janvier ou février 2020|en janvier et février 2020",
    "mai (toutes les années)": "en mai|tous les mois de mai",
    "mars (toutes les années)": "en mars",
    "juin 2024": "le mois dernier",
    "juillet 2024": "ce mois-ci",
    "11-20 mai 2021": "mi-mai 2021|milieu mai 2021",
    "21-31 mai 2021": "fin mai 2021|à la fin de mai 2021",
    "juin-août 2019": "été 2019|l'été 2019|en été 2019|l'été de 2019",
    "juin-août 2023": "l'été dernier|l’été dernier",
    "juin-août 2024": "cet été",
    "mars-mai 2021": "au printemps 2021|printemps 2021",
    "décembre 2019 - février 2020": "hiver 2019|l'hiver 2019/2020|décembre 2019 à février 2020",
    "3 mai 2021": "3 mai 2021|le 3 mai 2021|3/5/2021|lundi 3 mai 2021",
    "1er mai 2021": "1er mai 2021|le 1er mai 2021",
    "3-5 mai 2021": "du 3 au 5 mai 2021|3-5 mai 2021",
    "10 juillet 2024": "aujourd'hui|ce matin|ce soir",
    "9 juillet 2024": "hier|hier soir",
    "8 juillet 2024": "avant-hier|avant hier|lundi dernier|il y a deux jours",
    "4-8 juillet 2024": "il y a quelques jours",
    "1er-7 juillet 2024": "la semaine dernière",
    "6-7 juillet 2024": "le week-end dernier|le weekend dernier",
    "1er-7 mai 2021": "première semaine de mai 2021",
    "30 juin - 10 juillet 2024": "les 10 derniers jours|ces dix derniers jours",
    "24-26 décembre 2019": "Noël 2019|noel 2019",
    "24 décembre 2020": "la veille de Noël 2020",
    "1er janvier 2020": "Nouvel An 2020|jour de l'an 2020",
    "15-18 avril 2022": "Pâques 2022|à Pâques 2022",
    "avant 2020": "avant 2020",
    "après mai 2020": "après mai 2020",
    "depuis 2019": "depuis 2019",
    "depuis juin 2023": "depuis l'été dernier",
    "jusqu’à mai 2021": "jusqu'en mai 2021|jusqu'à mai 2021",
    "avant le 3 mai 2021": "avant le 3 mai 2021",
}
SPANISH = {
    "2019": "2019|en 2019|el año 2019|todo el año 2019",
    "2018-2020": "de 2018 a 2020|desde 2018 hasta 2020|entre 2018 y 2020",
    "2023": "el año pasado|hace un año",
    "2024": "este año",
    "2021": "hace tres años|hace 3 años",
    "enero-marzo de 2019": "principios de 2019|a principios de 2019",
    "1990-1999": "años 90|los años 1990|en los años noventa",
    "mayo de 2021": "mayo de 2021|mayo 2021|en mayo de 2021",
    "mayo-junio de 2018": "de mayo a junio de 2018|entre mayo y junio de 2018",
    "enero o febrero de 2020": "enero o febrero de 2020",
    "mayo (cualquier año)": "en mayo|cada mayo",
    "junio de 2024": "el mes pasado",
    "julio de 2024": "este mes",
    "11-20 de mayo de 2021": "mediados de mayo de 2021|a mediados de mayo de 2021",
    "21-31 de mayo de 2021": "finales de mayo de 2021|a fines de mayo de 2021",
    "junio-agosto de 2019": "verano de 2019|en el verano de 2019|verano 2019",
    "junio-agosto de 2023": "el verano pasado",
    "marzo-mayo de 2021": "primavera de 2021|la primavera de 2021",
    "diciembre de 2019 - febrero de 2020": "diciembre de 2019 a febrero de 2020|invierno de 2019",
    "3 de mayo de 2021": "3 de mayo de 2021|el 3 de mayo de 2021|3/5/2021|3 mayo 2021",
    "3-5 de mayo de 2021": "del 3 al 5 de mayo de 2021",
    "10 de julio de 2024": "hoy|esta mañana|esta noche",
    "9 de julio de 2024": "ayer|anoche|ayer por la noche",
    "8 de julio de 2024": "anteayer|el lunes pasado|hace dos días",
    "4-8 de julio de 2024": "hace unos días",
    "1-7 de julio de 2024": "la semana pasada",
    "6-7 de julio de 2024": "el fin de semana pasado",
    "1-7 de mayo de 2021": "primera semana de mayo de 2021|la primera semana de mayo de 2021",
    "30 de junio - 10 de julio de 2024": "los últimos 10 días|los 10 últimos días",
    "24-26 de diciembre de 2019": "Navidad 2019|navidades de 2019",
    "10-17 de abril de 2022": "Semana Santa 2022|Semana Santa de 2022",
    "31 de diciembre de 2020": "Nochevieja 2020|fin de año 2020",
    "antes de 2020": "antes de 2020",
    "después de mayo de 2020": "después de mayo de 2020",
    "desde 2019": "desde 2019",
    "desde junio de 2023": "desde el verano pasado",
    "hasta mayo de 2021": "hasta mayo de 2021",
    "antes del 3 de mayo de 2021": "antes del 3 de mayo de 2021",
}


def said(text: str, tag: str) -> list[str]:
    found = phrases(text, CALENDARS[tag])
    return [phrase.said.replace("\N{EN DASH}", "-") for phrase in found]


def rest(text: str, tag: str) -> str:
    """What is left of a description without its dates."""
    for phrase in reversed(list(phrases(text, CALENDARS[tag]))):
        text = text[: phrase.start] + text[phrase.end :]
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("tag", "thing", "meant", "ways"),
    [
        *(("fr-FR", "chiens", meant, ways) for meant, ways in FRENCH.items()),
        *(("es-ES", "perros", meant, ways) for meant, ways in SPANISH.items()),
    ],
)
def test_dates_in_descriptions(tag: str, thing: str, meant: str, ways: str) -> None:
    for way in ways.replace("\u2019", "'").split("|"):
        text = f"{thing} {way}"
        assert (way, said(text, tag), rest(text, tag)) == (way, [meant], thing)


@pytest.mark.parametrize(
    ("tag", "texts"),
    [
        (
            "fr-FR",
            "un chat à Paris|la mer|une fin de journée|le printemps|avant la maison|mars|mai"
            "|il y a un chien|le chat de la voisine en hiver|l'homme en noir|dix chiens|la dernière"
            "|planète mars|un lit pour deux|jour et nuit|en été|d'après nature|les trois derniers",
        ),
        (
            "es-ES",
            "el mar|un gato en la mesa|la casa este|perro de la vecina|fin|una vez|playa en verano"
            "|antes de comer|hace sol|mesa para dos|día y noche|la primavera|once jugadores"
            "|el último|a la playa|hasta la puerta",
        ),
        # Elsewhere these are no dates, or other words.
        ("en-GB", "l'été dernier|hace tres años|hier|en mai|el verano pasado|3 de mayo"),
    ],
)
def test_words_that_are_no_dates_stay(tag: str, texts: str) -> None:
    for text in texts.split("|"):
        assert (text, said(text, tag)) == (text, [])


@pytest.mark.parametrize("tag", ["fr-FR", "es-ES"])
def test_english_and_german_are_read_as_well(tag: str) -> None:
    for text in ("dogs in May 2021", "Hunde im Mai 2021", "dogs last summer", "vor drei Jahren"):
        assert said(text, tag), text


@pytest.mark.parametrize("tag", ["fr-FR", "es-ES"])
def test_what_a_chip_says_can_be_typed(tag: str) -> None:
    calendar = CALENDARS[tag]
    for text in ("2021-05", "2021-05-01", "2021-05-03", "2019", "2019-12..2020-02", "2018-2020"):
        meant = meaning(text, calendar)
        assert meant is not None
        again = meaning(meant.said.replace("\N{EN DASH}", "-"), calendar)
        assert again is not None, meant.said
        assert again.spans == meant.spans
