package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// states in which a pipeline is ready.
var readyStates = map[string]bool{"running": true, "snapshot": true}

// Route is one thing that a Server answers.
type Route struct {
	Method, Path string
	Open         bool // without a token
	Doc          string
}

// Routes lists all that a Server answers, for the documentation and the tests.
func Routes() []Route {
	return []Route{
		{"GET", "/livez", true, "200 while the process runs."},
		{"GET", "/readyz", true, "200 when every pipeline runs and nothing keeps it from moving, else 503 with the names of those that don't. `?verbose` lists all with their states."},
		{"GET", "/metrics", false, "Metrics for Prometheus."},
		{"GET", "/api/v1/status", false, "Every pipeline's state, lag, snapshot progress and saved place."},
		{"POST", "/api/v1/pipelines/{pipeline}/snapshot", false, "Asks for a snapshot of one table beside the stream: `{\"table\": \"public.orders\", \"where\": \"id > 7\"}`. 202 once it is part of what the next checkpoint saves."},
		{"GET", "/api/v1/pipelines/{pipeline}/parked", false, "The parked changes of the pipeline's sinks, or of `?sink=NAME`."},
	}
}

func routes(g *guard, o Options) http.Handler {
	h := &handlers{backend: o.Backend}
	by := map[string]http.HandlerFunc{
		"/livez":                                h.live,
		"/readyz":                               h.ready,
		"/metrics":                              o.Metrics.ServeHTTP,
		"/api/v1/status":                        h.status,
		"/api/v1/pipelines/{pipeline}/snapshot": h.snapshot,
		"/api/v1/pipelines/{pipeline}/parked":   h.parked,
	}
	mux := http.NewServeMux()
	for _, r := range Routes() {
		handler := by[r.Path]
		if !r.Open {
			handler = g.private(handler)
		}
		mux.HandleFunc(r.Method+" "+r.Path, handler)
		mux.HandleFunc(r.Path, methodNotAllowed(r.Method))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, &Error{Status: http.StatusNotFound, Code: "not_found", Message: "there is nothing here", Suggestion: "see docs/cli.md for what is served"})
	})
	return mux
}

func methodNotAllowed(method string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", method)
		writeError(w, &Error{Status: http.StatusMethodNotAllowed, Code: "method", Message: "this address takes " + method + " only"})
	}
}

type handlers struct{ backend Backend }

func (h *handlers) live(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintln(w, "ok")
}

// ready names pipelines and states only: it is open.
func (h *handlers) ready(w http.ResponseWriter, r *http.Request) {
	var lines []string
	code := http.StatusOK
	verbose := r.URL.Query().Has("verbose")
	for _, p := range h.backend.Status().Pipelines {
		ok := readyStates[p.State] && p.NotReady == ""
		line := p.Name + ": " + p.State
		if !ok {
			code = http.StatusServiceUnavailable
		}
		if readyStates[p.State] && !ok {
			line += ", but nothing moves"
		}
		if !ok || verbose {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		lines = []string{"ok"}
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	fmt.Fprintln(w, strings.Join(lines, "\n"))
}

func (h *handlers) status(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, h.backend.Status())
}

func (h *handlers) snapshot(w http.ResponseWriter, r *http.Request) {
	var req SnapshotRequest
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&req); err != nil || d.More() {
		writeError(w, &Error{Status: http.StatusBadRequest, Code: "body", Message: "the body isn't a snapshot request", Suggestion: `send {"table": "schema.table"}`})
		return
	}
	if schema, table, ok := strings.Cut(req.Table, "."); !ok || schema == "" || table == "" {
		writeError(w, &Error{Status: http.StatusBadRequest, Code: "table", Message: "table must be schema.table"})
		return
	}
	name := r.PathValue("pipeline")
	if err := h.backend.Snapshot(r.Context(), name, req); err != nil {
		writeError(w, asError(err))
		return
	}
	writeJSON(w, http.StatusAccepted, Accepted{Pipeline: name, Message: "snapshot of " + req.Table + " begins beside the stream"})
}

func (h *handlers) parked(w http.ResponseWriter, r *http.Request) {
	parked, err := h.backend.Parked(r.Context(), r.PathValue("pipeline"), r.URL.Query().Get("sink"))
	if err != nil {
		writeError(w, asError(err))
		return
	}
	if parked == nil {
		parked = []Parked{}
	}
	writeJSON(w, http.StatusOK, parked)
}

func asError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Status: http.StatusInternalServerError, Code: "internal", Message: err.Error()}
}

func writeError(w http.ResponseWriter, e *Error) { writeJSON(w, e.Status, errorBody{e}) }

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"error":{"code":"internal","message":"the answer can't be written as JSON"}}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // the client has gone: nothing to do about it
}
