"""Words that are written with a full stop which does not, or need not, end a sentence. All in lower case."""

OPENING = frozenset(
    """
    mr mrs ms mx dr prof rev hon gen col capt lt sgt gov sen rep pres st mt ft messrs e.g i.e cf viz vs al ca approx
    resp incl esp hr fr frau dipl ing z.b d.h u.a o.ä bzw sog vgl evtl ggf s.o s.u mme mlle mm p.ex c.-à-d sr sra srta
    dra dña p.ej ej sig dott ing avv jan feb mar apr jun jul aug sept sep oct okt nov dec dez mon tue tues wed
    thu thur fri
    """.split()
)
"""More of the sentence follows, whatever the next word looks like."""

CLOSING = frozenset(
    """
    etc inc ltd co corp bros jr esq dept univ assn usw ff gmbh cie a.m p.m a.d b.c b.c.e c.e u.s u.s.a u.k u.n e.u
    ph.d m.d b.a m.a d.c min max
    """.split()
)
"""May stand at the end of a sentence: a capital after it decides."""

NUMBERED = frozenset("no nos nr art sec fig figs eq ch vol p pp par paras ex tab abs bd kap núm num cap".split())
"""Part of a reference when a number follows; otherwise an ordinary word."""

STARTERS = frozenset(
    """
    the a an this that these those it he she they we you i in on at by for but and so yet there then when while after
    before if as its his her their our my no not most many some all both each its what who how why where
    der die das ein eine es er sie wir ihr in im am bei le la les un une il elle ils nous el los las un una en
    """.split()
)
"""Words that often begin a sentence: after a single capital letter (`vitamin C. It …`) they show that one has begun."""

MONTHS = frozenset("januar jänner februar märz april mai juni juli august september oktober november dezember".split())
"""After a German ordinal (`3. Oktober`) they show that none has ended."""
