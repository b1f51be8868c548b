"""Words that name groups of people, in the three forms that a sentence can need. English only.

Respectful words alone: slurs are abuse whatever stands around them, and prove nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal[
    "religion",
    "ethnicity",
    "nationality",
    "orientation",
    "sex",
    "gender identity",
    "disability",
    "age",
    "migration",
    "class",
]
Form = Literal["adjective", "noun", "plural", "group"]
FORMS: tuple[Form, ...] = get_args(Form)


@dataclass(frozen=True, slots=True)
class Term:
    """A word for a group: "my {adjective} neighbour", "a {noun}", "many {plural}"."""

    kind: Kind
    adjective: str
    noun: str
    plural: str
    group: bool = False
    """Whether "the {adjective}" means all of them: the French, the deaf."""
    loose: tuple[str, ...] = ()
    """Forms that alone often mean something else: white paper, old news, polish the shoes."""

    def form(self, form: Form) -> str | None:
        """The word in this form; None where it has none."""
        if form == "group":
            return self.adjective if self.group else None
        return {"adjective": self.adjective, "noun": self.noun, "plural": self.plural}[form]


def article(word: str) -> str:
    """a Ukrainian, an LGBT person"""
    sounds_otherwise = word.lower().startswith(("eu", "uk", "uy", "lgbt"))
    return "an" if (word[0].lower() in "aeiou") != sounds_otherwise else "a"


TERMS: tuple[Term, ...] = (
    Term("religion", "Muslim", "Muslim", "Muslims"),
    Term("religion", "Jewish", "Jew", "Jews"),
    Term("religion", "Christian", "Christian", "Christians"),
    Term("religion", "Catholic", "Catholic", "Catholics"),
    Term("religion", "Protestant", "Protestant", "Protestants"),
    Term("religion", "evangelical", "evangelical", "evangelicals"),
    Term("religion", "Mormon", "Mormon", "Mormons"),
    Term("religion", "Hindu", "Hindu", "Hindus"),
    Term("religion", "Sikh", "Sikh", "Sikhs"),
    Term("religion", "Buddhist", "Buddhist", "Buddhists"),
    Term("religion", "atheist", "atheist", "atheists"),
    Term("religion", "Amish", "Amish person", "Amish people", group=True, loose=("Amish",)),
    Term("ethnicity", "Black", "Black person", "Black people", loose=("Black",)),
    Term("ethnicity", "white", "white person", "white people", loose=("white",)),
    Term("ethnicity", "Asian", "Asian", "Asians"),
    Term("ethnicity", "Arab", "Arab", "Arabs"),
    Term("ethnicity", "African", "African", "Africans"),
    Term("ethnicity", "African American", "African American", "African Americans"),
    Term("ethnicity", "Latino", "Latino", "Latinos"),
    Term("ethnicity", "Hispanic", "Hispanic person", "Hispanic people"),
    Term("ethnicity", "Native American", "Native American", "Native Americans"),
    Term(
        "ethnicity", "Aboriginal", "Aboriginal person", "Aboriginal people", loose=("Aboriginal",)
    ),
    Term(
        "ethnicity", "Indigenous", "Indigenous person", "Indigenous people", loose=("Indigenous",)
    ),
    Term("ethnicity", "Roma", "Roma person", "Roma people", group=True, loose=("Roma",)),
    Term("ethnicity", "Kurdish", "Kurd", "Kurds"),
    Term("ethnicity", "Uyghur", "Uyghur", "Uyghurs"),
    Term("nationality", "American", "American", "Americans"),
    Term("nationality", "Mexican", "Mexican", "Mexicans"),
    Term("nationality", "Brazilian", "Brazilian", "Brazilians"),
    Term("nationality", "Chinese", "Chinese person", "Chinese people", group=True),
    Term("nationality", "Japanese", "Japanese person", "Japanese people", group=True),
    Term("nationality", "Indian", "Indian", "Indians"),
    Term("nationality", "Pakistani", "Pakistani", "Pakistanis"),
    Term("nationality", "Afghan", "Afghan", "Afghans"),
    Term("nationality", "Iranian", "Iranian", "Iranians"),
    Term("nationality", "Syrian", "Syrian", "Syrians"),
    Term("nationality", "Palestinian", "Palestinian", "Palestinians"),
    Term("nationality", "Israeli", "Israeli", "Israelis"),
    Term("nationality", "Turkish", "Turk", "Turks"),
    Term("nationality", "Nigerian", "Nigerian", "Nigerians"),
    Term("nationality", "Somali", "Somali", "Somalis"),
    Term("nationality", "Russian", "Russian", "Russians"),
    Term("nationality", "Ukrainian", "Ukrainian", "Ukrainians"),
    Term("nationality", "Polish", "Polish person", "Polish people", loose=("Polish",)),
    Term("nationality", "Lithuanian", "Lithuanian", "Lithuanians"),
    Term("nationality", "Romanian", "Romanian", "Romanians"),
    Term("nationality", "Albanian", "Albanian", "Albanians"),
    Term("nationality", "German", "German", "Germans"),
    Term("nationality", "French", "French person", "French people", group=True),
    Term("nationality", "Irish", "Irish person", "Irish people", group=True),
    Term("nationality", "British", "British person", "British people", group=True),
    Term("nationality", "Greek", "Greek", "Greeks", loose=("Greek",)),
    Term("orientation", "gay", "gay person", "gay people"),
    Term("orientation", "lesbian", "lesbian", "lesbians"),
    Term("orientation", "bisexual", "bisexual person", "bisexual people"),
    Term("orientation", "straight", "straight person", "straight people", loose=("straight",)),
    Term("orientation", "heterosexual", "heterosexual person", "heterosexual people"),
    Term("orientation", "homosexual", "homosexual person", "homosexual people"),
    Term("orientation", "queer", "queer person", "queer people"),
    Term("orientation", "asexual", "asexual person", "asexual people"),
    Term("orientation", "LGBT", "LGBT person", "LGBT people"),
    Term("sex", "female", "woman", "women"),
    Term("sex", "male", "man", "men", loose=("male", "man")),
    Term("gender identity", "transgender", "transgender person", "transgender people"),
    Term("gender identity", "trans", "trans person", "trans people", loose=("trans",)),
    Term("gender identity", "nonbinary", "nonbinary person", "nonbinary people"),
    Term("gender identity", "intersex", "intersex person", "intersex people"),
    Term("gender identity", "cisgender", "cisgender person", "cisgender people"),
    Term(
        "disability",
        "disabled",
        "disabled person",
        "disabled people",
        group=True,
        loose=("disabled",),
    ),
    Term("disability", "deaf", "deaf person", "deaf people", group=True, loose=("deaf",)),
    Term("disability", "blind", "blind person", "blind people", group=True, loose=("blind",)),
    Term("disability", "autistic", "autistic person", "autistic people", group=True),
    Term("disability", "dyslexic", "dyslexic person", "dyslexic people"),
    Term("disability", "epileptic", "epileptic person", "epileptic people", loose=("epileptic",)),
    Term("disability", "bipolar", "bipolar person", "bipolar people", loose=("bipolar",)),
    Term("disability", "schizophrenic", "schizophrenic person", "schizophrenic people"),
    Term("disability", "mentally ill", "mentally ill person", "mentally ill people"),
    Term("disability", "paraplegic", "paraplegic", "paraplegics"),
    Term("disability", "wheelchair-using", "wheelchair user", "wheelchair users"),
    Term("age", "young", "young person", "young people", group=True, loose=("young",)),
    Term("age", "old", "old person", "old people", group=True, loose=("old",)),
    Term("age", "elderly", "elderly person", "elderly people", group=True),
    Term("age", "middle-aged", "middle-aged person", "middle-aged people", group=True),
    Term("age", "teenage", "teenager", "teenagers"),
    Term("age", "retired", "retiree", "retirees", loose=("retired",)),
    Term("migration", "immigrant", "immigrant", "immigrants"),
    Term("migration", "migrant", "migrant", "migrants"),
    Term("migration", "refugee", "refugee", "refugees"),
    Term("migration", "foreign", "foreigner", "foreigners", loose=("foreign",)),
    Term("migration", "asylum-seeking", "asylum seeker", "asylum seekers"),
    Term("migration", "undocumented", "undocumented person", "undocumented people", group=True),
    Term("class", "poor", "poor person", "poor people", group=True, loose=("poor",)),
    Term("class", "homeless", "homeless person", "homeless people", group=True),
    Term("class", "unemployed", "unemployed person", "unemployed people", group=True),
    Term("class", "working-class", "working-class person", "working-class people"),
)
ALIASES = {
    "blacks": "Black people",
    "gays": "gay people",
    "homosexuals": "homosexual people",
    "bisexuals": "bisexual people",
    "hispanics": "Hispanic people",
    "transgenders": "transgender people",
    "african-american": "African American",
    "african-americans": "African Americans",
    "non-binary": "nonbinary",
    "lgbtq": "LGBT",
    "lgbtq+": "LGBT",
}
"""Other spellings in real texts, lower case, and the form of a term that they stand for."""
