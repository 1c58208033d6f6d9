// Package upsert is what SQL targets share, without a word of any dialect: it folds changes to one row a key, groups the
// folded rows into runs that one statement can write, finds exactly the changes that a target refuses, and keeps one plan for each
// *change.Table.
//
// It imports pkg/change and sinks. Invariant 7: a row with Unset columns becomes a Patch, which must hit a row, whatever is folded
// into it; no fold turns it into an insert.
//
//	steps, err := upsert.Fold(changes, upsert.Upsert)
//	for each step: write its Runs in order, then its Marker
package upsert
