// Package streamtest is the suite that every stream passes. Run mounts it on a Harness:
//
//	func TestStream(t *testing.T) {
//		streamtest.Run(t, func(t *testing.T) streamtest.Harness { ... })
//	}
//
// It knows streams by their contract only (pkg/stream) and imports that, pkg/change and the test libraries. Its invariant: a
// stream that loses, reorders, repeats or acknowledges early fails here, whatever it is made of. The package that mounts it checks for
// leaked goroutines in its TestMain (goleak).
package streamtest
