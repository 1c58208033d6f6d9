// Package cmd holds nothing but the rules of the house as tests; the program is cmd/tailwater. See house_test.go.
package cmd
