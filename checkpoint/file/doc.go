// Package file keeps checkpoints in a directory on this machine, which it locks: one process at a time. It imports the checkpoint and
// change contracts, pkg/fault and golang.org/x/sys only.
//
// A pipeline has two files, NAME.0.checkpoint and NAME.1.checkpoint, for even and odd generations. A Save writes a new file, syncs
// it, renames it over the older of the two and syncs the directory, so the newest generation is never touched. Each file is one header
// line (format version, SHA-256, length) and a JSON body. A damaged file falls back to the other; a record that was there is
// never "not found".
//
// Falling back is safe only while the source still holds the log from the older generation on. The rule for whoever saves:
//
//	Release up to the Resume that the generation BEFORE the one just saved holds, never further.
//
// So after saving generation n+1 the source may forget up to generation n's Resume, and an idle pipeline saves once more to release
// its last Resume. Released in the older generation is behind by one release; Load therefore returns, when it has to fall back (or
// can't tell that it does not), Released = Resume and ReleasedUpto = Upto: the most that can have been released.
//
// Invariant 1 (a saved Resume always lies where the source can still continue) rests on that rule, on the two syncs and on the
// refusal of a Save whose Generation is not the newest.
package file
