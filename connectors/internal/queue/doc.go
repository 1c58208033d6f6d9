// Package queue holds what a connector has decoded of its log and nobody has read yet. It knows changes, and ends: places in between of which the
// connector wants to know when all in front has been handed over.
package queue
