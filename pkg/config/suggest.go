package config

import "strings"

// nearest returns the candidate that a person most likely meant by word, or "" where none is near enough to say so.
func nearest(word string, candidates []string) string {
	best, bestAt := "", len(word)/3+1
	for _, c := range candidates {
		if strings.EqualFold(strings.NewReplacer("-", "_").Replace(word), c) {
			return c
		}
		if d := distance(strings.ToLower(word), strings.ToLower(c)); d <= bestAt && d < len(c) {
			if d < bestAt || best == "" {
				best, bestAt = c, d
			}
		}
	}
	return best
}

// distance counts the insertions, deletions, replacements and swaps of neighbours that make b out of a.
func distance(a, b string) int {
	if len(a) > maxWord || len(b) > maxWord {
		return maxWord
	}
	prev2 := make([]int, len(b)+1)
	prev := make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], prev2[j-2]+1)
			}
		}
		prev2, prev, row = prev, row, prev2
	}
	return prev[len(b)]
}

// maxWord bounds the words that distance compares, in bytes; no key is that long.
const maxWord = 64
