"""What omni-brain knows of six languages: their commonest words, and the endings that light stemming takes off."""

import msgspec


class Language(msgspec.Struct, frozen=True, eq=False):
    """`stop_words` carry no topic; `irregular` maps a form to its dictionary form.

    Of each step of `endings`, the first that a word has is taken off.
    """

    code: str
    stop_words: frozenset[str]
    endings: tuple[tuple[str, ...], ...]
    irregular: dict[str, str] = {}


def _pairs(text: str) -> dict[str, str]:
    return dict(zip(text.split()[::2], text.split()[1::2], strict=True))


ENGLISH = Language(
    "en",
    frozenset(
        """
        a about after all also am an and any are as at be because been before being both but by can could did do does
        doing done for from had has have having he her here hers him his how i if in into is it its itself just many me
        more most much must my no nor not of on once only or other our ours out over own please same she should so some
        such tell than that the their theirs them then there these they this those through to too under until up us very
        was we were what when where which while who whom whose why will with would you your yours
        """.split()
    ),
    (("ies", "s"), ("ingly", "edly", "ing", "ied", "ed", "ly", "ion"), ("ment", "able", "ible", "ness", "est", "er")),
    _pairs(
        """
        ate eat became become began begin begun begin bought buy broke break broken break brought bring built build
        came come chose choose chosen choose drawn draw drew draw driven drive drove drive fallen fall fell fall
        flew fly flown fly fought fight found find gave give given give gone go grew grow grown grow held hold
        kept keep knew know known know laid lay led lead left leave lent lend lost lose made make meant mean met meet
        paid pay ran run rose rise said say sang sing sank sink sat sit saw see seen see sent send shot shoot
        slept sleep sold sell spent spend spoke speak spoken speak stole steal stolen steal stood stand swam swim
        taken take taught teach thought think threw throw thrown throw told tell took take went go woke wake won win
        wore wear worn wear written write wrote write died die dies die children child feet foot men man mice mouse
        people person teeth tooth women woman
        """
    ),
)

GERMAN = Language(
    "de",
    frozenset(
        """
        aber als am an auch auf aus bei bin bis das dass dem den der des die dies diese dieser dieses du durch ein eine
        einem einen einer eines er es für gibt hat hatte hatten ich ihr ihre ihren im in ist ja kann man mit nach nicht
        noch nur oder ohne sehr sein seine seit sich sie sind so über um und uns unter vom von vor wann war waren warum
        was welche welcher welches wem wen wenn wer werden wie viel viele wir wird wo wurde wurden zu zum zur
        """.split()
    ),
    (("ern", "em", "en", "er", "es", "et", "e", "s", "n"),),
)

FRENCH = Language(
    "fr",
    frozenset(
        """
        a à au aux avec c ce ces cet cette combien comme comment d dans de des du elle elles en est et été être eu il
        ils j je l la le les leur leurs lui m mais me même mes moi mon n ne nos notre nous on ont ou où par pas plus
        pour pourquoi qu quand que quel quelle quelles quels qui quoi s sa sans se ses si son sont sur t ta te tes toi
        ton tu un une vos votre vous y
        """.split()
    ),
    (("issements", "issement", "ements", "ement", "ées", "ée", "és", "é", "er", "es", "e", "s", "x"),),
)

SPANISH = Language(
    "es",
    frozenset(
        """
        a al algo como con cómo cual cuál cuales cuándo cuando cuánto cuánta cuántos cuántas de del desde donde dónde
        el él ella ellas ellos en entre era es esa ese eso esta está este esto fue fueron ha hay la las le les lo los
        más me mi muy no nos o para pero por porque qué que quien quién se ser si sin sobre son su sus también te tiene
        tu un una uno y ya
        """.split()
    ),
    (
        (
            "aciones",
            "ación",
            "mente",
            "ando",
            "iendo",
            "ados",
            "adas",
            "ado",
            "ada",
            "ó",
            "os",
            "as",
            "es",
            "ar",
            "o",
            "a",
            "e",
            "s",
        ),
    ),
)

ITALIAN = Language(
    "it",
    frozenset(
        """
        a ad al alla alle anche che chi ci come con cosa cui da dal dalla dei del della delle di dove e è ed era fu gli
        ha hanno i il in io l la le lei lo loro lui ma mi nel nella non o per perché più quale quali quando quanta
        quante quanti quanto questa questo se si sono su sua sue sul sulla suo ti tra tu un una uno
        """.split()
    ),
    (("azioni", "azione", "mente", "ando", "endo", "ati", "ata", "ato", "ò", "are", "i", "e", "a", "o"),),
)

PORTUGUESE = Language(
    "pt",
    frozenset(
        """
        a à ao aos as com como da das de do dos e é ela elas ele eles em era essa esse esta está este eu foi foram há
        isso isto já la lhe mais mas me muito na não nas no nos nós o onde os ou para pela pelo por porque qual quais
        quando quanta quantas quanto quantos que quem se sem ser seu seus só sua suas também te tem um uma você
        """.split()
    ),
    (
        (
            "ações",
            "ação",
            "mente",
            "ando",
            "endo",
            "ados",
            "adas",
            "ado",
            "ada",
            "ou",
            "os",
            "as",
            "es",
            "ar",
            "o",
            "a",
            "e",
            "s",
        ),
    ),
)

LANGUAGES = (ENGLISH, GERMAN, FRENCH, SPANISH, ITALIAN, PORTUGUESE)


def language_of(words: list[str]) -> Language:
    """Return the language whose stop words are the commonest among `words`; English where none occurs."""
    return max(LANGUAGES, key=lambda language: sum(word in language.stop_words for word in words))
