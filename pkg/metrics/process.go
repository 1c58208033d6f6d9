package metrics

import (
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// runtimeNames are what the Go runtime says about itself, under the names that Prometheus's own client gives them.
var runtimeNames = []struct {
	source, name, help string
	kind               kind
}{
	{"/sched/goroutines:goroutines", "go_goroutines", "Goroutines that exist.", gauge},
	{"/memory/classes/heap/objects:bytes", "go_memstats_heap_alloc_bytes", "Bytes of heap objects.", gauge},
	{"/memory/classes/total:bytes", "go_memstats_sys_bytes", "Bytes got from the system.", gauge},
	{"/gc/heap/allocs:bytes", "go_memstats_alloc_bytes_total", "Bytes allocated since the start.", counter},
	{"/gc/heap/goal:bytes", "go_memstats_next_gc_bytes", "Heap size at which the next collection begins.", gauge},
	{"/gc/gomemlimit:bytes", "go_gc_gomemlimit_bytes", "The limit that the collector keeps to.", gauge},
	{"/gc/cycles/total:gc-cycles", "go_gc_cycles_total", "Collections since the start.", counter},
	{"/sched/gomaxprocs:threads", "go_sched_gomaxprocs_threads", "Threads that may run Go code at once.", gauge},
}

// processFamilies reads what the runtime and the kernel say, at each scrape. What a system doesn't tell is absent.
func processFamilies(started time.Time) []*family {
	var out []*family
	one := func(name, help string, k kind, v float64) {
		f := &family{name: name, help: help, kind: k, series: map[string]*series{}}
		f.with().set(v)
		out = append(out, f)
	}
	samples := make([]metrics.Sample, len(runtimeNames))
	for i := range runtimeNames {
		samples[i].Name = runtimeNames[i].source
	}
	metrics.Read(samples)
	for i, n := range runtimeNames {
		if samples[i].Value.Kind() == metrics.KindUint64 {
			one(n.name, n.help, n.kind, float64(samples[i].Value.Uint64()))
		}
	}
	info := &family{name: "go_info", help: "1; the label is the Go version.", kind: gauge, labels: []string{"version"}, series: map[string]*series{}}
	info.with(runtime.Version()).set(1)
	out = append(out, info)

	var use syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &use) == nil {
		seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
		one("process_cpu_seconds_total", "Processor time since the start.", counter, seconds(use.Utime)+seconds(use.Stime))
	}
	if pages, ok := residentPages(); ok {
		one("process_resident_memory_bytes", "Memory that is resident.", gauge, float64(pages*os.Getpagesize()))
	}
	if open, err := os.ReadDir("/proc/self/fd"); err == nil {
		one("process_open_fds", "Open file descriptors.", gauge, float64(len(open)-1)) // one of them reads the folder
	}
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) == nil {
		one("process_max_fds", "File descriptors that may be open.", gauge, float64(limit.Cur))
	}
	one("process_start_time_seconds", "When the process started, in Unix time.", gauge, float64(started.UnixMilli())/1e3)
	return out
}

// residentPages is the second field of Linux's statm.
func residentPages() (int, bool) {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, false
	}
	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return 0, false
	}
	n, err := strconv.Atoi(fields[1])
	return n, err == nil
}
