"""NS1xx: the text of a layer file, before any word of the language is read."""

from netspec.diagnostics.catalogue.code import Code

CODES = (
    Code(
        "NS101",
        "the file cannot be read",
        "The path names nothing, a folder, or a file that this user may not read. The operating system's reason"
        " is in the message.",
        "Check the path. A built-in spec is named without folder and ending: `netspec build alexnet`.",
    ),
    Code(
        "NS102",
        "this is not text",
        "A layer file is UTF-8 text. Control characters, lone surrogates, and characters that are invisible or"
        " turn the direction of writing around are refused wherever they stand, escapes in quoted texts included:"
        " a file must mean what it looks like.",
        "Save the file as UTF-8, and delete the character or the escape at the place shown.",
    ),
    Code(
        "NS103",
        "the file is too large",
        "A layer file has a few thousand bytes; 512 KiB is the most that is read. Weights, mean images and long"
        " lists of labels have files of their own.",
        "Name the layer file, not the weights. Put labels into a text file and name it: `labels: labels.txt`.",
    ),
    Code(
        "NS104",
        "this is not YAML",
        "A bracket or a quote that is not closed, a tab, an indentation that fits nothing above, or a text that"
        " needs quotes. The place is where the reader gave up; the slip is there or just before.",
        "See the help of the message. A text that holds `: ` or ` #`, or begins with one of [ ] { } & * ! | > ' \""
        " % @ `, needs quotes.",
    ),
    Code(
        "NS105",
        "nested too deep",
        "A spec needs five levels of brackets and indentation; 32 are read. Deeper text is a slip or an attack.",
        "Close the brackets.",
    ),
    Code(
        "NS106",
        "anchors, aliases and merge keys are not allowed",
        "`&name`, `*name` and `<<` make a file that cannot be read line by line, and a few hundred bytes of them"
        " can stand for gigabytes.",
        "Write the value out. What the layers of a type share goes under `defaults:`, by type.",
    ),
    Code(
        "NS107",
        "tags are not allowed",
        "`!!python/object` and the like let a YAML file name code to run, and `!!str` is never needed: the key"
        " says what kind of value belongs there.",
        "Delete the tag. Quotes make a text of anything.",
    ),
    Code(
        "NS108",
        "a key stands there twice",
        "Most YAML readers keep the last of two equal keys and drop the first without a word. In a net that is a"
        " layer or a setting lost.",
        "Keep one of them, or give the second another name.",
    ),
    Code(
        "NS109",
        "not one spec",
        "A layer file is one YAML document: neither nothing at all, nor several separated by `---`.",
        "Start with `netspec: 1`. Put a second spec into a file of its own.",
    ),
    Code(
        "NS110",
        "a key is not a word",
        "YAML allows lists and mappings as keys; the language has no use for them, and one is nearly always a"
        " slip with brackets.",
        "Write `key: value`.",
    ),
    Code(
        "NS111",
        "too much of something",
        "Lines of more than 20,000 characters, more than 40,000 values, more than 1,000 layers or 256 inputs of"
        " one: the bounds keep the compiler's time and memory small whatever the text.",
        "A net of this size has a structure that should be written shorter. If yours is real, please report it.",
    ),
    Code(
        "NS112",
        "too many findings",
        "After 20 findings the rest of the file is not checked: they have one cause more often than twenty.",
        "Mend the first ones and run again.",
    ),
)
