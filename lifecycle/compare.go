package lifecycle

// CompareOptions say how desired objects are compared with those of a cluster.
type CompareOptions struct {
	// Namespace is where namespaced objects are that name none.
	Namespace string
	// MakesNamespace says that Namespace is made before the objects are, when it is not there.
	MakesNamespace bool
	// Inventory is what was applied last: what differs although its digest is the same was changed by someone else.
	Inventory Inventory
	// Ignore and Volatile are the fields that are not compared.
	Ignore   []Ignore
	Volatile []FieldRef
	// Coming are objects that are applied before these, by this unit or another of the same plan: custom resource definitions and
	// namespaces that objects may need.
	Coming []Object
}
