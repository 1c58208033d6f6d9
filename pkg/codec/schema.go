package codec

import "github.com/tailwater-cdc/tailwater/pkg/change"

// AppendSchema appends the value of the table's record in the schema topic; its key is Fingerprint.
func (p *Plan) AppendSchema(dst []byte) ([]byte, error) {
	out, err := change.AppendShape(dst, p.table)
	if err != nil {
		return dst, errorf("%w", err)
	}
	return out, nil
}

// ParseSchemaRecord reads a record of the schema topic and holds the key against the shape that it names.
func ParseSchemaRecord(key, value []byte) (fingerprint string, t *change.Table, err error) {
	if t, err = change.ParseShape(value); err != nil {
		return "", nil, errorf("schema record %.64q: %w", key, err)
	}
	if fingerprint, err = change.Fingerprint(t); err != nil {
		return "", nil, errorf("schema record %.64q: %w", key, err)
	}
	if fingerprint != string(key) {
		return "", nil, errorf("schema record %.64q holds the shape %s of %s", key, fingerprint, t)
	}
	if _, err = newLayout(t); err != nil {
		return "", nil, err
	}
	return fingerprint, t, nil
}
