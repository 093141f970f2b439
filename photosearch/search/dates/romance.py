"""Dates in French and Spanish, put in the words and the order that the grammar of dates reads.

    l'été dernier   -> the last sommer
    hace tres años  -> vor three years

Only the words of dates are put so. All others stay, and each word keeps the characters it stands
at, so that a date that is found covers what was typed for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from index.catalogue.functions import folded
from photosearch.search.dates import words
from photosearch.search.dates.feasts import FEASTS
from photosearch.search.dates.token import Token

LANGUAGES = ("fr", "es")

# What is typed, and what the grammar knows: names of months, seasons and feasts in German, for
# those mean nothing else, and nearly all else in English. Without accents; a sign is a word.
_FRENCH = """
janvier=januar fevrier=februar mars=march avril=april mai=mai juin=juni juillet=juli aout=august
septembre=september octobre=oktober novembre=november decembre=dezember
janv=januar fevr=februar avr=april juil=juli sept=september oct=oktober nov=november dec=dezember
lundi=monday mardi=tuesday mercredi=wednesday jeudi=thursday vendredi=friday samedi=saturday
dimanche=sunday
printemps=fruehling ete=sommer automne=herbst hiver=winter
jour=day jours=days journee=day semaine=week semaines=weeks mois=month mois_-_ci=month an=year
ans=years annee=year annees=years week_-_end=weekend weekend=weekend
un=one une=one deux=two trois=three quatre=four cinq=five six=six sept=seven huit=eight neuf=nine
dix=ten onze=eleven douze=twelve quelques=few plusieurs=several
er=st re=st ere=st e=th eme=th premier=first premiere=first deuxieme=second seconde=second
troisieme=third quatrieme=fourth dernier=last derniere=last derniers=last dernieres=last
passe=last passee=last
ce=this cet=this cette=this ces=the
aujourd'hui=today hier=yesterday avant_-_hier=vorgestern avant_hier=vorgestern soir=evening
matin=morning ce_soir=tonight
il_y_a=vor avant=before apres=after depuis=since jusqu'a=until jusqu'en=until jusqu'au=until
en=in au_mois_de=in dans=in pendant=during durant=during au_cours_de=during
au_cours_du=during lors_de=during
le=the la=the les=the l'=the d'=von de=von du=vom des=of entre=between et=and ou=or
chaque=every tous_les_mois_de=every toute=whole tout=whole tous=all
debut=beginning milieu=middle mi=mid fin=end trimestre=quarter semestre=half moitie=half
noel=weihnachten veille_de_noel=heiligabend reveillon_de_noel=heiligabend
jour_de_noel=weihnachtstag nouvel_an=neujahr jour_de_l'_an=neujahr saint_-_sylvestre=silvester
saint_sylvestre=silvester reveillon=silvester paques=ostern lundi_de_paques=ostermontag
dimanche_de_paques=ostersonntag pentecote=pfingsten ascension=himmelfahrt
vendredi_saint=karfreitag toussaint=allerheiligen fete_nationale=nationalfeiertag
fete_des_meres=mothers_day fete_des_peres=fathers_day saint_-_valentin=valentinstag
saint_valentin=valentinstag fete_du_travail=tag_der_arbeit carnaval=karneval
epiphanie=dreikoenig saint_-_nicolas=nikolaus
"""
_SPANISH = """
enero=januar febrero=februar marzo=maerz abril=april mayo=mai junio=juni julio=juli agosto=august
septiembre=september setiembre=september octubre=oktober noviembre=november diciembre=dezember
ene=januar abr=april ago=august sept=september oct=oktober nov=november dic=dezember
lunes=monday martes=tuesday miercoles=wednesday jueves=thursday viernes=friday sabado=saturday
domingo=sunday
primavera=fruehling verano=sommer otono=herbst invierno=winter
dia=day dias=days semana=week semanas=weeks mes=month meses=months ano=year anos=years
fin_de_semana=weekend fines_de_semana=weekends
un=one una=one uno=one dos=two tres=three cuatro=four cinco=five seis=six siete=seven ocho=eight
nueve=nine diez=ten once=eleven doce=twelve unos=few unas=few pocos=few varios=several
varias=several
primer=first primero=first primera=first segundo=second segunda=second tercer=third tercera=third
cuarto=fourth cuarta=fourth ultimo=last ultima=last ultimos=last ultimas=last pasado=last
pasada=last pasados=last pasadas=last
este=this esta=this
hoy=today ayer=yesterday anteayer=vorgestern antier=vorgestern anoche=yesterday
esta_manana=this_morning esta_tarde=this_afternoon esta_noche=tonight
ayer_por_la_noche=yesterday_evening ayer_por_la_tarde=yesterday_afternoon
hace=vor antes_de=before antes_del=before despues_de=after despues_del=after desde=since
hasta=until
en=in en_el_mes_de=in durante=during el=the la=the los=the las=the de=von del=vom
entre=between y=and e=and
o=or u=or cada=every todo=whole toda=whole
principios=beginning comienzos=beginning inicio=beginning inicios=beginning mediados=middle
finales=end fines=end final=end fin=end trimestre=quarter semestre=half mitad=half
navidad=weihnachten navidades=weihnachten nochebuena=heiligabend dia_de_navidad=weihnachtstag
nochevieja=silvester fin_de_ano=silvester ano_nuevo=neujahr reyes=dreikoenig
dia_de_reyes=dreikoenig semana_santa=holyweek pascua=ostern domingo_de_pascua=ostersonntag
viernes_santo=karfreitag jueves_santo=gruendonnerstag pentecostes=pfingsten
todos_los_santos=allerheiligen dia_de_la_madre=mothers_day dia_del_padre=fathers_day
san_valentin=valentinstag carnaval=karneval carnavales=karneval dia_del_trabajo=tag_der_arbeit
fiesta_nacional=nationalfeiertag
"""
# Decades in words, after "années" and "años".
_DECADES = {
    "fr": "trente=thirties quarante=forties cinquante=fifties soixante=sixties"
    " soixante_-_dix=seventies quatre_-_vingt=eighties quatre_-_vingts=eighties"
    " quatre_-_vingt_-_dix=nineties",
    "es": "treinta=thirties cuarenta=forties cincuenta=fifties sesenta=sixties setenta=seventies"
    " ochenta=eighties noventa=nineties",
}
# "To" after a date, and "at" elsewhere.
_TO = {"fr": frozenset({"a", "au", "aux"}), "es": frozenset({"a", "al"})}
_OF = frozenset({"von", "vom"})
# "l'été" is two words, "aujourd'hui" one.
_ELIDED = re.compile(r"(?:l|d)'(?=.)")

# Words between "desde" and "hasta" of one range.
_APART = 8

_Table = dict[tuple[str, ...], tuple[str, ...]]


@cache
def _table(language: str) -> _Table:
    every = f"{_FRENCH if language == 'fr' else _SPANISH}"
    decades = " ".join(
        f"{'annees' if language == 'fr' else 'anos'}_{one}" for one in _DECADES[language].split()
    )
    pairs = (one.split("=") for one in f"{every} {decades}".split())
    return {tuple(typed.split("_")): tuple(known.split("_")) for typed, known in pairs}


def put_so(tokens: Sequence[Token], language: str) -> list[Token]:
    """The tokens of a text in a language of `LANGUAGES`, as the grammar of dates reads them.

    Their words are small and have their accents and apostrophes still.
    """
    return list(_in_order(list(_known(list(_apart(tokens)), language))))


def _apart(tokens: Sequence[Token]) -> Iterator[Token]:
    """With what is elided before a word as a word of its own: l' été, d' avril."""
    for token in tokens:
        elided = _ELIDED.match(token.word)
        if elided is None:
            yield token
            continue
        cut = token.start + elided.end()
        yield Token(token.start, cut, elided[0], token.glued)
        yield Token(cut, token.end, token.word[elided.end() :], False)


def _known(tokens: list[Token], language: str) -> Iterator[Token]:
    """Each word that belongs to dates as the grammar has it; of several the longest."""
    table, at = _table(language), 0
    longest = max(map(len, table))
    plain = tuple(folded(token.word) for token in tokens)
    before: Token | None = None
    while at < len(tokens):
        lengths = range(min(longest, len(tokens) - at), 0, -1)
        length = next((one for one in lengths if plain[at : at + one] in table), 1)
        known = table.get(plain[at : at + length], (tokens[at].word,))
        if length == 1 and plain[at] in _TO[language]:
            known = ("to",) if before is not None and _is_date(before) else ("at",)
        for before in _spread(tokens[at : at + length], known):
            yield before
        at += length


def _spread(covered: Sequence[Token], known: Sequence[str]) -> Iterator[Token]:
    """Words over the characters of others, of which there may be more or fewer."""
    for number, word in enumerate(known):
        first = covered[min(number, len(covered) - 1)]
        last = covered[-1] if number == len(known) - 1 else first
        glued = first.glued if number < len(covered) else False
        yield Token(first.start, last.end, word, glued)


def _in_order(tokens: list[Token]) -> Iterator[Token]:
    """As they stand in English: last summer, the last 3 days, the 90s, 3 of May."""
    at = 0
    while at < len(tokens):
        one = tokens[at]
        other = tokens[at + 1] if at + 1 < len(tokens) else None
        third = tokens[at + 2].word if at + 2 < len(tokens) else ""
        if other is None:
            yield one
        elif one.word == "since" and any(each.word == "until" for each in tokens[at:][:_APART]):
            yield one._replace(word="from")
        elif other.word == "last" and (_is_named(one.word) or _counts(one.word, third)):
            yield from _changed(one, other)
            at += 1
        elif one.word == "years" and re.fullmatch(r"(?:19|20)?\d0", other.word):
            yield Token(one.start, one.end, other.word, one.glued)
            yield Token(other.start, other.end, "s", True)
            at += 1
        elif one.word == "years" and other.word in words.DECADE:
            yield other._replace(start=one.start, glued=one.glued)
            at += 1
        elif one.word.isdecimal() and other.word in _OF and third in words.MONTH:
            yield one
            yield other._replace(word="of")
            at += 1
        else:
            yield one
        at += 1


def _changed(one: Token, other: Token) -> tuple[Token, Token]:
    """The other word first; each covers what the one in its place did."""
    return one._replace(word=other.word), other._replace(word=one.word)


def _is_named(word: str) -> bool:
    every = words.UNIT, words.SEASON, words.MONTH, words.WEEKDAY, FEASTS
    return any(word in each for each in every)


def _counts(word: str, unit: str) -> bool:
    return (word.isdecimal() or word in words.NUMBER) and unit in words.UNIT


def _is_date(token: Token) -> bool:
    """Whether a range may begin with it: 2018 to 2020, from May to June, 3 to 5 May."""
    return token.word.isdecimal() or _is_named(token.word) or token.word in words.DECADE
