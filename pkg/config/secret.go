package config

import "log/slog"

// masked is what a Secret prints as.
const masked = "***"

// Secret is a value that must not be seen: it prints as *** as text, in JSON, in YAML, in logs and under every fmt verb. The zero
// Secret is empty and prints as the empty string.
type Secret struct{ reveal func() string } // a func, so that no walk by reflection finds the text either

// NewSecret returns a Secret that holds s.
func NewSecret(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{reveal: func() string { return s }}
}

// Reveal returns the text itself, for the one call that has to send it.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// IsSet says that there is a text.
func (s Secret) IsSet() bool { return s.reveal != nil }

// String returns ***, or nothing where nothing is set.
func (s Secret) String() string {
	if !s.IsSet() {
		return ""
	}
	return masked
}

// GoString returns what String returns, for %#v.
func (s Secret) GoString() string { return `"` + s.String() + `"` }

// MarshalText returns what String returns, for JSON and whatever else asks for text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalYAML returns what String returns.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }

// LogValue returns what String returns.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
