package file

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/tailwater-cdc/tailwater/checkpoint"
	"github.com/tailwater-cdc/tailwater/pkg/change"
)

// The header is "tailwater-checkpoint VERSION SHA256 LENGTH\n" with fixed widths; the hash is of VERSION and the body, LENGTH the
// body's bytes.
const (
	magic         = "tailwater-checkpoint"
	formatVersion = 1
	headerFormat  = magic + " %03d %s %010d\n"
	headerLength  = len(magic) + 1 + 3 + 1 + 2*sha256.Size + 1 + 10 + 1
)

var (
	errDamaged = errors.New("damaged")
	// errLater is not damage: falling back past what a later release wrote would go back behind what it released.
	errLater = fmt.Errorf("written by a later release of tailwater; run that one: %w", change.ErrPreflight)
)

// encode refuses text that JSON would change on the way.
func encode(r checkpoint.Record) ([]byte, error) {
	for name, text := range map[string]string{"pipeline": r.Pipeline, "identity": r.Identity, "resume": string(r.Resume), "released": string(r.Released)} {
		if !utf8.ValidString(text) {
			return nil, fmt.Errorf("encode checkpoint: %s %q is not UTF-8: %w", name, text, change.ErrHalt)
		}
	}
	for table := range r.Announced {
		if !utf8.ValidString(table) {
			return nil, fmt.Errorf("encode checkpoint: table %q is not UTF-8: %w", table, change.ErrHalt)
		}
	}
	body, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode checkpoint: %w", err)
	}
	return append([]byte(header(formatVersion, body)), body...), nil
}

func header(version int, body []byte) string {
	h := sha256.New()
	fmt.Fprintf(h, "%03d\n", version) // a Hash's Write never fails
	h.Write(body)
	return fmt.Sprintf(headerFormat, version, hex.EncodeToString(h.Sum(nil)), len(body))
}

// decode returns errDamaged for anything that is not byte for byte what encode wrote of a Record of that pipeline.
func decode(b []byte, pipeline string) (checkpoint.Record, error) {
	var r checkpoint.Record
	if len(b) < headerLength {
		return r, fmt.Errorf("%d bytes, less than a header: %w", len(b), errDamaged)
	}
	head, body := string(b[:headerLength]), b[headerLength:]
	var version int
	if _, err := fmt.Sscanf(head, magic+" %03d ", &version); err != nil {
		return r, fmt.Errorf("header: %w", errDamaged)
	}
	if head != header(version, body) {
		return r, fmt.Errorf("checksum or length differs: %w", errDamaged)
	}
	if version > formatVersion {
		return r, fmt.Errorf("format version %d: %w", version, errLater)
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		return r, fmt.Errorf("body: %w: %w", err, errDamaged)
	}
	if dec.More() || version < 1 || r.Generation == 0 || r.Pipeline != pipeline {
		return r, fmt.Errorf("body is of version %d, generation %d, pipeline %q: %w", version, r.Generation, r.Pipeline, errDamaged)
	}
	return r, nil
}

const maxStem = 180 // bytes of a file name that a pipeline's name may take, of the 255 that file systems allow

// stem is a file name's part for a pipeline of any name; two names never share one. Letters, digits, '-' and '_' stand for
// themselves, other bytes are %XX, and a long name ends in '~' and its hash.
func stem(pipeline string) string {
	var b strings.Builder
	for i := range len(pipeline) {
		c := pipeline[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	s := b.String()
	if len(s) <= maxStem {
		return s
	}
	sum := sha256.Sum256([]byte(pipeline))
	return s[:maxStem-1-2*sha256.Size] + "~" + hex.EncodeToString(sum[:])
}

func slot(pipeline string, generation uint64) string {
	return fmt.Sprintf("%s.%d.checkpoint", stem(pipeline), generation%2)
}

func temporary(pipeline string) string { return stem(pipeline) + ".tmp" }
