package mysql

import "slices"

// split reads to the end and cuts at the commas outside of parentheses.
func (l *lexer) split() ([]tokens, error) {
	var all tokens
	for {
		t, err := l.next()
		if err != nil {
			return nil, err
		}
		if t.kind == tokenEnd || t.punct(";") {
			return all.split(), nil
		}
		all = append(all, t)
	}
}

// tokens are a part of a statement.
type tokens []sqlToken

// nests is by how much what follows lies deeper in parentheses.
func (t sqlToken) nests() int {
	switch {
	case t.punct("("):
		return 1
	case t.punct(")"):
		return -1
	}
	return 0
}

func (ts tokens) split() []tokens {
	var out []tokens
	depth, start := 0, 0
	for i, t := range ts {
		if depth += t.nests(); depth == 0 && t.punct(",") {
			out, start = append(out, ts[start:i]), i+1
		}
	}
	return append(out, ts[start:])
}

// is says that the n-th token is one of these words.
func (ts tokens) is(n int, words ...string) bool {
	return n < len(ts) && slices.ContainsFunc(words, ts[n].word)
}

// pass leaves out a word in front, if it is there.
func (ts *tokens) pass(words ...string) bool {
	if len(*ts) < len(words) {
		return false
	}
	for i, w := range words {
		if !(*ts)[i].word(w) {
			return false
		}
	}
	*ts = (*ts)[len(words):]
	return true
}

// column takes a column's name from the front.
func (ts *tokens) column() (string, error) {
	if len(*ts) == 0 || (*ts)[0].kind != tokenWord && (*ts)[0].kind != tokenQuoted || (*ts)[0].text == "" {
		return "", errAlter
	}
	name := (*ts)[0].text
	*ts = (*ts)[1:]
	return name, nil
}

// has says that a word stands outside of parentheses.
func (ts tokens) has(word string) bool {
	return ts.find(word) >= 0
}

func (ts tokens) find(word string) int {
	depth := 0
	for i, t := range ts {
		if depth += t.nests(); depth == 0 && t.word(word) {
			return i
		}
	}
	return -1
}

// behindParenthesis passes what stands in parentheses.
func (ts tokens) behindParenthesis() tokens {
	depth := 0
	for i, t := range ts {
		if depth += t.nests(); depth == 0 {
			return ts[i+1:]
		}
	}
	return nil
}

// behindValue passes one value: a word, name or text, with a sign in front, with an introducer or parentheses behind. What remains of another is a word
// that isn't known.
func (ts tokens) behindValue() tokens {
	if len(ts) > 0 && ts[0].kind == tokenPunct && (ts[0].text == "-" || ts[0].text == "+") {
		ts = ts[1:]
	}
	if len(ts) > 0 && ts[0].punct("(") {
		return ts.behindParenthesis()
	}
	if len(ts) == 0 {
		return ts
	}
	number := isDigits(ts[0])
	introduces := ts[0].kind == tokenWord
	ts = ts[1:]
	switch {
	case len(ts) > 1 && number && ts[0].punct("."):
		return ts[2:]
	case len(ts) > 0 && introduces && ts[0].kind == tokenText:
		return ts[1:]
	case len(ts) > 0 && ts[0].punct("("):
		return ts.behindParenthesis()
	}
	return ts
}
