package config

import (
	"fmt"
	"strings"
)

// Reference is every key as a Markdown document: docs/configuration.md.
func Reference() string {
	var b strings.Builder
	b.WriteString(referenceHead)
	section(&b, "The file", "", fileKeys())
	return b.String()
}

const referenceHead = `# Configuration

One YAML file says what runs. This page is written by ` + "`go test ./pkg/config -run Golden -update`" + ` from the list of keys that the loader
checks a file against; [examples](examples) hold whole files.

- A key that isn't here, a value of another type, a name that stands twice: each is an error with file, line, column and, where one is
  near, what was probably meant. ` + "`tailwater lint`" + ` finds them without connecting; ` + "`tailwater echo`" + ` prints the file with every default.
- Durations carry units: ` + "`500ms` `30s` `1h30m` `7d`" + `. Sizes carry units: ` + "`512KiB` `8MiB` `2GiB`" + `.
- ` + "`${env:NAME}` `${env:NAME:-default}` `${file:PATH}`" + ` stand for a variable or the text of a file, in any value. They are replaced after the
  file has been parsed, once. A variable that is not set, or is empty, and has no default is an error. ` + "`$${`" + ` stands for ` + "`${`" + `.
- A password is never part of a url. What ` + "`password`" + ` holds is printed as *** everywhere.
- Anchors, aliases, merge keys and tags are refused: a file says what stands in it.
- A value marked *not in this build* is known and refused.
`

// section writes the table of keys and then, one by one, the groups below them.
func section(b *strings.Builder, title, path string, keys []key) {
	fmt.Fprintf(b, "\n## %s\n\n| key | value | default | |\n|---|---|---|---|\n", title)
	for i := range keys {
		k := &keys[i]
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", k.name, k.takes(), k.otherwise(), k.explain())
	}
	for i := range keys {
		if len(keys[i].keys) > 0 {
			below := join(path, keys[i].name)
			section(b, "`"+below+"`", below, keys[i].keys)
		}
	}
}

// takes says what k's value may be.
func (k *key) takes() string {
	if k.choices != nil {
		s := "`" + strings.Join(k.choices, "` `") + "`"
		if k.kind == group {
			s += ", or keys"
		}
		if k.planned != nil {
			s += "; not in this build: " + strings.Join(k.planned, ", ")
		}
		return s
	}
	s := kindNames[k.kind]
	var limits []string
	if k.low != 0 && k.low != -1 {
		limits = append(limits, "from "+k.written(k.low))
	}
	if k.high != 0 {
		limits = append(limits, "to "+k.written(k.high))
	}
	return strings.Join(append([]string{s}, limits...), " ")
}

func (k *key) written(n int64) string {
	switch k.kind {
	case duration:
		return Duration(n).String()
	case size:
		return Size(n).String()
	}
	return fmt.Sprint(n)
}

// otherwise says what holds where k isn't given.
func (k *key) otherwise() string {
	switch {
	case k.required:
		return "required"
	case k.fallback != "":
		return "`" + k.fallback + "`"
	}
	return ""
}

func (k *key) explain() string {
	if k.types == nil {
		return k.doc
	}
	return "With type `" + strings.Join(k.types, "`, `") + "`: " + lower(k.doc)
}

// lower makes the first letter small unless it begins a value or a name.
func lower(s string) string {
	if len(s) > 1 && s[1] >= 'A' && s[1] <= 'Z' {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
