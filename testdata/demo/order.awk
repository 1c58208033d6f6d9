# Reads Kafka's console consumer (headers, a tab, the key) and fails if a row change of a key stands at or below an earlier one of that
# key. Snapshot records carry no transaction and may be repeated after a crash; a tombstone stands at its delete's own position.
BEGIN { FS = "\t" }
{
	pos = txn = ""
	n = split($1, headers, ",")
	for (i = 1; i <= n; i++) {
		if (headers[i] ~ /^tw\.pos:/) pos = substr(headers[i], 8)
		if (headers[i] ~ /^tw\.txn:/) txn = substr(headers[i], 8)
	}
	records++
	if ($2 ~ /__tailwater/) { markers++; next }
	if (pos == "") { print "a record without a position: " $0; bad = 1; exit 1 }
	if (txn == "") { snapshot++; next }
	if (($2 in last) && pos < last[$2]) { print "key " $2 " goes back from " last[$2] " to " pos; bad = 1; exit 1 }
	if (($2 in last) && pos == last[$2]) repeats++
	last[$2] = pos
	keys[$2]
}
END {
	if (bad) exit 1
	for (k in keys) changed++
	printf "%d records: %d snapshot rows, %d changes of %d keys, %d markers; no key goes back\n", records, snapshot, records - snapshot - markers, changed, markers
}
