package metrics

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// kind is a metric's type in the text format.
type kind string

const (
	counter   kind = "counter"
	gauge     kind = "gauge"
	histogram kind = "histogram"
)

// family is one metric name with all its series. Its methods may be called from any goroutine.
type family struct {
	name    string
	help    string
	kind    kind
	labels  []string
	buckets []float64 // of a histogram, upper bounds in ascending order

	mu     sync.RWMutex
	series map[string]*series // by the label values, as they are written
}

// series is one set of label values.
type series struct {
	values []string
	bits   atomic.Uint64 // the value, or a histogram's sum
	counts []atomic.Uint64
}

// with returns the series with these label values.
func (f *family) with(values ...string) *series {
	key := strings.Join(values, "\xff")
	f.mu.RLock()
	s := f.series[key]
	f.mu.RUnlock()
	if s != nil {
		return s
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.series[key]; s != nil {
		return s
	}
	s = &series{values: slices.Clone(values)}
	if f.kind == histogram {
		s.counts = make([]atomic.Uint64, len(f.buckets)+1)
	}
	f.series[key] = s
	return s
}

func (s *series) set(v float64) { s.bits.Store(math.Float64bits(v)) }

func (s *series) add(v float64) {
	for {
		was := s.bits.Load()
		if s.bits.CompareAndSwap(was, math.Float64bits(math.Float64frombits(was)+v)) {
			return
		}
	}
}

// observe counts v in its bucket.
func (f *family) observe(s *series, v float64) {
	at, _ := slices.BinarySearch(f.buckets, v)
	s.counts[at].Add(1)
	s.add(v)
}

// write appends the family in the text format; nothing where it has no series.
func (f *family) write(b *bytes.Buffer) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if len(f.series) == 0 {
		return
	}
	b.WriteString("# HELP " + f.name + " " + helpEscaper.Replace(f.help) + "\n# TYPE " + f.name + " " + string(f.kind) + "\n")
	keys := make([]string, 0, len(f.series))
	for k := range f.series {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		f.writeSeries(b, f.series[k])
	}
}

func (f *family) writeSeries(b *bytes.Buffer, s *series) {
	if f.kind != histogram {
		f.line(b, sample{values: s.values, v: math.Float64frombits(s.bits.Load())})
		return
	}
	total := uint64(0)
	for i := range s.counts {
		total += s.counts[i].Load()
		bound := "+Inf"
		if i < len(f.buckets) {
			bound = strconv.FormatFloat(f.buckets[i], 'g', -1, 64)
		}
		f.line(b, sample{suffix: "_bucket", values: s.values, bound: bound, v: float64(total)})
	}
	f.line(b, sample{suffix: "_sum", values: s.values, v: math.Float64frombits(s.bits.Load())})
	f.line(b, sample{suffix: "_count", values: s.values, v: float64(total)})
}

// sample is one line of the text format.
type sample struct {
	suffix string
	values []string
	bound  string // a bucket's le; "" for none
	v      float64
}

func (f *family) line(b *bytes.Buffer, s sample) {
	b.WriteString(f.name + s.suffix)
	var pairs []string
	for i, value := range s.values {
		pairs = append(pairs, f.labels[i]+`="`+labelEscaper.Replace(value)+`"`)
	}
	if s.bound != "" {
		pairs = append(pairs, `le="`+s.bound+`"`)
	}
	if len(pairs) > 0 {
		b.WriteString("{" + strings.Join(pairs, ",") + "}")
	}
	b.WriteString(" " + strconv.FormatFloat(s.v, 'g', -1, 64) + "\n")
}

var (
	helpEscaper  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	labelEscaper = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)
