// Package rendertest has the sites, plans and runs that the tests of pictures have in common, and compares what is shown with golden files.
// Nothing but tests imports it.
package rendertest
