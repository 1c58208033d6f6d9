// Package registry is a client of a schema registry with Confluent's API: it makes a schema known under a subject and learns its number. It
// imports pkg/change and the standard library only.
//
// Its invariant: a number comes from the registry's own answer, and one schema of one subject is asked for once. A registry that doesn't
// answer is asked again; one that refuses a schema halts with its own words.
//
//	c, err := registry.New(registry.Config{URL: "https://registry:8081", User: "u", Password: "p"})
//	id, err := c.Register(ctx, "cdc.public.orders-value", schema)
package registry
