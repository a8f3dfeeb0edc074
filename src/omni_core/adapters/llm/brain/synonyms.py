"""Words that people use for the same thing, in the matters that texts for customers, staff and users are about.

A line is a group, in dictionary forms: each word of it stands for each other one. A word may be in several groups; only
those that it shares a line with are its synonyms. The list is small on purpose: it holds what questions are asked with
(`How much is …?`, `Can I get my money back?`), not the vocabulary of a trade.
"""

_ENGLISH = """
cost price fee charge pay payment rate expensive
salary wage pay earn income
bill invoice receipt charge
buy purchase order get
refund reimburse return repay money
reimburse claim expense
cash money
discount save saving reduction cheap
free gratis complimentary
trial try test demo
plan subscription tier package
subscription membership subscribe
cancel terminate quit leave stop end
account membership contract
close shut end
off shut disable
on enable activate
delete remove erase wipe drop
lose lost erase forget miss
contain include comprise part
change modify edit alter update adjust amend correct
replace swap exchange substitute replacement
spare extra additional replacement second
begin start launch open
end finish stop expire lapse close
run work operate function
found establish founder
happen occur become
require need must necessary mandatory compulsory
allow permit let may able
forbid ban prohibit
approve permission allow agree consent
limit maximum most largest biggest restrict
minimum least smallest lowest oldest
size big large volume capacity hold
fit hold room space seat
small little tiny
fast quick speed rapid soon
duration last take
deadline until due latest close by
early before advance beforehand ahead
phone telephone call number
phone mobile android ios iphone smartphone
contact write call reach email
email mail write
answer reply respond response
notify tell inform alert
show display see
help support assist service
problem trouble issue fault error
mistake bug error fault crash
fix repair mend solve
broken damage defect fault faulty
guarantee warranty cover
deliver ship send dispatch post postage shipping
package parcel
item product goods article
store keep retain save hold
backup archive copy save
restore recover
shop store market
give hand pass
get receive obtain
make create build produce prepare
maker manufacturer make
author write make
invent design develop
employ employee staff worker personnel
company firm business employer organisation
boss manager supervisor lead head
chair lead head
maintain maintenance keep
holiday vacation leave off
absence leave off
ill sick illness disease
doctor physician
parent mother father
child kid baby
student pupil
senior elderly old pensioner
visitor guest tourist friend
customer client user
single one solo individual
house home building
flat apartment accommodation
accommodation room hotel housing
elevator lift
car vehicle drive
bicycle bike cycle
taxi cab
climb ascend hike ascent
top summit peak
tall high height
deep depth
heavy weigh weight
wide width
far distance
cold winter
warm hot heat temperature degree
weekend saturday sunday
weekday monday tuesday wednesday thursday friday
annual year
automatic itself themselves schedule
country nation
abroad overseas foreign country
place location where venue
build construct construction work building renovation renovate
password passphrase passcode pin
register enrol join open
apply application submit send
install update
requirement need require version
server data
wifi wireless network wlan
internet connection online
offline internet connection
computer laptop pc
lamp light
picture photo image screenshot
video film recording record
encrypt encryption
secure security safe protect insure insurance
breach hack leak
vulnerability weakness hole
train learn
model ai
uptime available
outage fail failure down
certify certificate compliant
version release
publish release
new introduce add
deprecated obsolete
login access password
2fa authentication login
request query call
loud noise quiet silent
eat food meal lunch dinner breakfast
drink beverage
alcohol wine beer
animal pet dog cat
grill barbecue bbq
rain wet waterproof water
rubbish waste trash
wash clean rinse
swim pool bathe
park garage car
ticket admission
access enter entry
book reserve booking
borrow lend loan
rent hire lease
own owner belong
live inhabit home
choose pick select
colour color
kind type sort
part component piece
pause freeze suspend interrupt
increase rise raise grow
decrease fall lower reduce
quote offer estimate
weak thin
replacement spare
remaining left unused
document passport identity
job post position work
permanent limited temporary
qualification degree diploma training experience
furniture desk chair table
finance fund pay
discover find
cross across
talk speech lecture
interest earn
atm machine
strong lift power
kilometre km
kilogram kilo kg
percent cent
minute min
"""
_GERMAN = """
kosten preis bezahlen zahlen gebühr
kündigen beenden abmelden
öffnen auf geöffnet
schließen zu geschlossen
anfangen beginnen starten
enden aufhören schließen
stattfinden sein
kümmern sorgen
regen regnen
leihen mieten borgen
kostenlos gratis frei umsonst
auto wagen pkw
fahrrad rad
erlauben dürfen gestatten
verbieten verboten untersagt
helfen unterstützen
rückgabe zurückgeben zurückschicken
erstatten rückerstattung
urlaub ferien
krank krankheit
"""
_LISTS = {"en": _ENGLISH, "de": _GERMAN}

PHRASES = {
    "en": {
        "money back": "refund",
        "send back": "return",
        "sent back": "return",
        "sign up": "register",
        "log in": "login",
        "sign in": "login",
        "set up": "install",
        "wi fi": "wifi",
        "e mail": "email",
        "e mails": "email",
        "time off": "holiday",
        "out of order": "broken",
        "at least": "minimum",
        "at most": "maximum",
        "up to": "maximum",
        "get rid of": "remove",
        "no charge": "free",
        "on us": "free",
        "give back": "return",
        "comes with": "include",
        "by itself": "automatic",
        "go up": "rise",
        "going up": "rise",
        "two factor": "2fa",
    },
}
"""What is read as one word. A phrase is at most three words."""


LIGHT = {
    "en": """
    get use work need want happen possible able way kind type sort thing part amount long give go come take put know see
    look right new current now still yet again always exact actual soon quick often currently available allow number
    people person time let may help find provide offer support any every each back something anything someone
    anyone ever
    """,
    "de": "gibt kann muss darf soll möglich bekommen machen brauchen nutzen ding art",
}
"""Words of questions that say little of what is asked for."""


def groups(code: str) -> list[list[str]]:
    """Return the groups of a language, none where there is no list."""
    return [line.split() for line in _LISTS.get(code, "").splitlines() if line]
