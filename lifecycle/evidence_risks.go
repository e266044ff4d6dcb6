package lifecycle

// RiskFile is a file of the fleet that says what is known to go wrong with a version, in the form of kiban's own.
type RiskFile struct {
	// Path is where it lies below the fleet's root: "risks/our-storage.yaml".
	Path string
	Text []byte
}
