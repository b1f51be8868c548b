"""Letters of other scripts that look like a Latin letter, for words that mix both.

The pairs are those of Unicode's confusables.txt (UTS #39) that commenters are seen to use.
"""

LATIN_TWINS: dict[int, int] = str.maketrans(
    # Cyrillic, then Greek, then letters of other alphabets and IPA; all lower case
    "аеорсухіјѕԁһвкмнтгпзьԛԝӏүё" + "αβεικνορτυχωγηςσ" + "ɑɡıɩɪʏʋσɯѵᴀʙᴄᴅᴇꜰɢʜᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡᴢ",
    "aeopcyxijsdhbkmhtrn3bqwlye" + "abeikvoptuxwynss" + "agiiiyvowvabcdefghjklmnoprstuvwz",
)
