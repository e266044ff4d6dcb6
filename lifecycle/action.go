package lifecycle

import "errors"

// Action names what a step does. What there is to know of each is in the table of action_table.go.
type Action string

const (
	// ActionPrepare makes a machine ready for k0s: packages, environment, declared files. Params: none.
	ActionPrepare Action = "prepare"
	// ActionUpload puts a k0s binary, verified against its checksum, on the machine beside the installed one. Uses Version.
	ActionUpload Action = "stage"
	// ActionPreflight asks the staged k0s of Version whether it can run on the machine: its own pre-flight checks, which the installed one
	// cannot know. What they reject blocks; what cannot be learnt from them is told and does not.
	ActionPreflight Action = "preflight"
	// ActionConfigure writes a controller's k0s.yaml, after `k0s config validate`, and restarts the service if it runs; unless
	// Version is set, which says that an upgrade step follows, whose restart serves both.
	ActionConfigure Action = "configure"
	// ActionInitialize installs and starts the first controller. ActionJoinController and ActionJoinWorker join a further machine;
	// their join token is invalidated and overwritten whatever happens.
	ActionInitialize     Action = "initialize"
	ActionJoinController Action = "join-controller"
	ActionJoinWorker     Action = "join-worker"
	// ActionBackup takes a backup of the control plane and puts it under .kiban/backups on the machine that runs kiban.
	ActionBackup Action = "backup"
	// ActionRestore fills a controller that has no data from a backup, and starts it: a control plane of one, with the data and the keys
	// of the backup. Others join it.
	ActionRestore Action = "restore"
	// ActionRestart restarts the service as it is, or starts it: what runs there must forget what it knows of a control plane that
	// is no more.
	ActionRestart Action = "restart"
	// ActionCordon and ActionUncordon close and open a node for scheduling, with kiban's mark. ActionDrain moves its pods away.
	ActionCordon   Action = "cordon"
	ActionDrain    Action = "drain"
	ActionUncordon Action = "uncordon"
	// ActionClusterConfig writes the configuration that k0s keeps in the cluster, where it is dynamic; k0s takes it up by itself.
	ActionClusterConfig Action = "cluster-config"
	// ActionLabel sets and takes away labels and taints of a node (Step.Node): those that k0s would only be told when it registers.
	ActionLabel Action = "label"
	// ActionUpgrade stops k0s, puts the staged binary of Version in its place, re-installs the service with the declared
	// arguments, and starts it. Each part is left out where it is done already, so it also finishes an interrupted one.
	ActionUpgrade Action = "upgrade"
	// ActionRestoreFormer puts back the k0s binary and service that an upgrade which kept them (Step.OnFailure) has replaced. Version is
	// that binary's. ActionForgetFormer removes what is kept.
	ActionRestoreFormer Action = "restore-former"
	ActionForgetFormer  Action = "forget-former"
	// ActionRestoreSettings puts back what k0s ran with before steps of a turn that changed it (Step.Keeps): the service, its environment,
	// k0s.yaml, declared files. ActionForgetSettings removes what is kept of that.
	ActionRestoreSettings Action = "restore-settings"
	ActionForgetSettings  Action = "forget-settings"
	// ActionPin has the cluster keep that its control plane acts as Step.From from now on, whatever it goes to (Step.Version), and how its
	// resources are stored. ActionSoak has it keep that all controllers run Version and act as From. ActionCommit ends that: there is no way
	// back any more. ActionUnpin ends it where the control plane is back.
	ActionPin    Action = "pin"
	ActionSoak   Action = "soak"
	ActionCommit Action = "commit"
	ActionUnpin  Action = "unpin"
	// ActionReinstall is the same without another binary: the service gets the declared arguments and is restarted.
	ActionReinstall Action = "reinstall"
	// ActionStart starts a stopped service as it is.
	ActionStart Action = "start"
	// ActionLeaveEtcd takes a controller out of etcd before its service stops; ActionDeleteNode deletes its Node object;
	// ActionReset stops k0s and wipes what it left on the machine.
	ActionLeaveEtcd  Action = "leave-etcd"
	ActionDeleteNode Action = "delete-node"
	ActionReset      Action = "reset"
	// ActionTidy removes what interrupted runs left on a machine: join tokens, staged binaries of other versions.
	ActionTidy Action = "tidy"
	// ActionReboot restarts a machine, unless it has restarted since its GateRebooted was planned; ActionRun runs Command on it as root;
	// ActionAwait waits until the operator says that the work on it is done.
	ActionReboot Action = "reboot"
	ActionRun    Action = "run"
	ActionAwait  Action = "await"
	// ActionFiles puts the declared files that differ on a machine, and restarts k0s when one of them asks for it (HostFile.Restart).
	ActionFiles Action = "files"
	// ActionCompactEtcd has etcd forget the revisions of objects that nobody needs any more, as the API server does every five minutes as long
	// as etcd takes writes. ActionDefragment has the target's member of etcd write its file anew, without the room in it that holds nothing;
	// the member answers nobody meanwhile. ActionDisarmEtcd takes back etcd's alarm NOSPACE, when every member has room again.
	ActionCompactEtcd Action = "compact-etcd"
	ActionDefragment  Action = "defragment"
	ActionDisarmEtcd  Action = "disarm-etcd"
	// ActionApply applies a unit (an addon, a tenant, objects) and waits for its health; when a chart's health is not reached, the former
	// release is brought back. ActionPrune removes a unit that has left the repository, but for what holds data.
	ActionApply Action = "apply"
	ActionPrune Action = "prune"
)

// ErrConnectionLost is the cause of a diagnostic that says: the connection to a machine ended while something was done there. How far that
// came is not known, and nothing is said of k0s.
var ErrConnectionLost = errors.New("the connection is lost")

// ErrStartedAsItWas is the cause of a diagnostic that says: the upgrade of a machine failed before its new k0s was ever started, and the
// former one was started again.
var ErrStartedAsItWas = errors.New("started as it was")
