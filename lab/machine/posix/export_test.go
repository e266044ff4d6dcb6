package posix

// UsedOptions are the options that a program would read, by its specification, from arguments.
func UsedOptions(args, spec []string, leading bool) []string {
	o, _ := parseOptions(args, spec, leading) // what precedes a wrong one counts
	return o.order
}
