package gitlab

// What GitLab takes of one pipeline, by its own pages, where nobody has set it otherwise. kiban stays below, whatever the plan or the
// version from 17.1 on.
const (
	// maxDeployments is how many jobs of a pipeline may name an environment, whatever their action: docs.gitlab.com/administration/
	// instance_limits, "Maximum number of deployment jobs in a pipeline".
	maxDeployments = 500
	// maxFile is how many bytes of YAML a pipeline's file may have. GitLab counts the memory of what it reads, which is up to five times the
	// text: 1 MB before version 17.3, 2 MB since; the same page, "Maximum size and depth of CI/CD configuration YAML files".
	maxFile = 200_000
	// maxArchive is how many bytes the artifact may have, packed, that holds a pipeline's file: the same page, "Maximum size of the CI
	// artifacts archive".
	maxArchive = 5_000_000
	// maxDownstream is how many pipelines one may start, with those that these start: the same page, "Limit pipeline hierarchy size".
	maxDownstream = 1000
	// maxTriggered is how many may be started within a minute for a project, a user and a commit on gitlab.com: docs.gitlab.com/user/
	// gitlab_com, "Maximum downstream pipeline trigger rate". The parts of a stage are started at once.
	maxTriggered = 350
	// maxDepth is how deep children may be nested: docs.gitlab.com/ci/pipelines/downstream_pipelines, "Nested child pipelines". The pipeline
	// that starts the parts is a child itself.
	maxDepth = 2
)
