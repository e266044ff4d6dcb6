package lifecycle

// Admission is what must be there, and who is asked, before the API lets a pod in that takes the place of one that was moved.
type Admission struct {
	// Webhooks are those that judge pods, evictions or nodes, and whose silence refuses what they judge.
	Webhooks []Webhook
	// PriorityClasses and RuntimeClasses are the names of those that there are, ServiceAccounts are "namespace/name"; all sorted.
	PriorityClasses, RuntimeClasses, ServiceAccounts []string
	// Overdrawn are the quotas of which more is used than they allow now.
	Overdrawn []Quota
	// Policies judge pods by expressions, and may deny them.
	Policies []PodPolicy
}

// RefusedBy is what lets no pod in.
type RefusedBy string

// What judges a pod by itself, with what its namespace says.
const (
	RefusedByPodSecurity RefusedBy = "Pod Security"
	RefusedByLimitRange  RefusedBy = "LimitRange"
	RefusedByQuota       RefusedBy = "ResourceQuota"
)

// Refusal is why the API would not let a pod in again.
type Refusal struct {
	By RefusedBy
	// Name is that of the LimitRange or ResourceQuota, or the level that Pod Security enforces: "baseline:latest".
	Name string
	// Why is in the words of the API server.
	Why string
	// Since and Until are minors of the API server: it refuses from Since on, and before Until; 0: no such end.
	Since, Until int
	// Doubtful: the pod that runs would be let in. What LimitRanges gave it when it was made is taken away, as a mark of it says, and what
	// they give now is not enough.
	Doubtful bool
}

// PodPolicy is a ValidatingAdmissionPolicy that is bound so that it denies what its expressions are false for.
type PodPolicy struct {
	// Name is its own, Binding that of what binds it.
	Name, Binding string
	// Kinds of Scheduling.Kinds are judged when a pod of them is made, by the selectors of both.
	Kinds []int32
}

// Webhook is an admission webhook with failurePolicy Fail.
type Webhook struct {
	// Name is its own, Configuration what it stands in: "ValidatingWebhookConfiguration policy".
	Name, Configuration string
	// Kinds of Scheduling.Kinds are judged when a pod of them is made, by the webhook's selectors; Evictions are those of which an eviction
	// is judged.
	Kinds, Evictions []int32
	// Nodes are the names of the nodes of which a change is judged.
	Nodes []string
	// Conditional: it has conditions beside its selectors, which may let some of that pass.
	Conditional bool
	// Elsewhere: it is asked by a URL, and nothing below is known of it.
	Elsewhere bool
	// Service is whom it asks: "policy/webhook"; Gone says that there is no such Service.
	Service string
	Gone    bool
	// Backends are the ready endpoints of the Service.
	Backends []Backend
}

// Backend is a ready endpoint of a Service.
type Backend struct {
	// Pod is its name, in the Service's namespace, and Node where it is; "" where the endpoint does not say.
	Pod, Node string
}

// Quota is a ResourceQuota of which more is used than it allows.
type Quota struct {
	Namespace, Name string
	Over            []QuotaUse
}

// QuotaUse is a resource of which more is used than a quota allows.
type QuotaUse struct {
	// Resource is its name among Scheduling.Resources; Limits says that limits are counted, not requests.
	Resource string
	Limits   bool
	// Text says it as the quota does: "requests.cpu: 12 used, 10 allowed".
	Text string
}
