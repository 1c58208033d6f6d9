package postgres

// QuoteIdent, CheckIdent and ClassOfCode are here for tests from outside.
var (
	QuoteIdent  = quoteIdent
	CheckIdent  = checkIdent
	ClassOfCode = classOf
)
