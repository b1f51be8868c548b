"""Short words that tell a language: what nearly every sentence of it has some of."""

from __future__ import annotations

ENGLISH = frozenset(
    "about after again always and any are back be because been before being but can can't"
    " could did didn't does doesn't don't even every for from get going good had has have he"
    " her here him his how i'm if into is isn't it it's its just know like made make many more"
    " most much need never new not nothing of one only or our out people please really right"
    " said same say says see she should since some someone something such than thanks that the"
    " their them then there these they they're think this those though through to too up very"
    " want was wasn't way well were what when where which while who why will with without"
    " woman world would yes you you're your".split()
)
NOT_ENGLISH = frozenset(
    "aan ang att auf av con da das de del della den der des det di dos du een ein eine el em"
    " en est et gli het ich ik ikke il inte ist je jeg la las le les los maar med mga mit na"
    " nao nee ng nicht nie niet och og ook op os para pas por pour que sich sie som sono sul"
    " und une van von voor wie wir y yang zijn zu".split()
)
OTHERS = {
    "de": frozenset(
        "aber als am an auch auf aus bei bin bis dann das dass dem den der des die dieser doch"
        " durch ein eine einem einen einer er es etwas für gegen gibt habe haben hat ich ihr ihre"
        " im immer ist jetzt kann kein keine man mehr mich mir mit muss nach nicht nichts noch nur"
        " oder ohne schon sehr sein sich sie sind so um und unter viele vom von war was weil wenn"
        " wer werden wie wieder wir wird wurde würde zu zum zur über".split()
    ),
    "es": frozenset(
        "ahora al algo así aunque como con cuando de del donde el ella ellos en es esa ese eso"
        " esta este esto estos está están hacer han hasta hay la las le lo los me mejor mismo"
        " mucho muy más nada ni no nos otra otro para pero por porque puede pues que qué se ser si"
        " siempre sin sobre son su sus también tan te tiene tienen todo todos un una y"
        " ya yo".split()
    ),
    "fr": frozenset(
        "alors au aussi aux avec avoir bien c'est ce ces cette chez comme contre dans de depuis"
        " des donc du elle en encore est et eux faire fait faut il ils j'ai je la le les leur mais"
        " moi mon même n'est ne nous on ou où par pas peut plus pour qu'il quand que qui rien sa"
        " sans se si son sont suis sur tous tout trop très tu un une vous à ça être".split()
    ),
    "it": frozenset(
        "a ai al alla anche ancora bene c'è che chi ci come con contro così da dai dal dei del"
        " della delle di dopo e essere fa fare fatto gli ha hanno i il in io la le li lo loro ma"
        " mai mi nel nella nessuno no noi non ogni ora per perché più poi quando quella quelli"
        " quello questa questi questo se senza si siamo solo sono sta su sulla tra tutti tutto un"
        " una è".split()
    ),
    "nl": frozenset(
        "aan al als bij dan dat de deze die dit door een en er geen haar heb heeft het hij hoe ik"
        " in is je kan maar meer met mijn moet naar niet nog nu of om ook op over te tot uit van"
        " veel voor waar wat we wel wie wij worden ze zich zijn zo".split()
    ),
    "pt": frozenset(
        "a acho agora ainda ao aos as até bem com como da das de do dos e ela ele eles em essa"
        " esse está eu fazer foi gente isso já mais mas me mesmo meu minha muito na nada nas nem"
        " no nos não o os ou para pela pelo por porque pra quando que quem se sem ser seu sua são"
        " só também tem tenho ter tudo um uma vai você à é".split()
    ),
}
"""Words of other languages, by code; some are in several."""
NEIGHBOURS = frozenset("baie chì coa ek hulle hè moi máis nie tamén unha xa xente ùn".split())
"""Words of languages that those would be taken for: Galician, Afrikaans, Corsican."""
