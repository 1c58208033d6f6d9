package mysql

// What tests from outside need of the inside.
var (
	QuoteIdent    = quoteIdent
	CheckIdent    = checkIdent
	ClassOfNumber = classOf
)
