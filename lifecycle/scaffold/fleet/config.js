// What the scheduled job runs Renovate with. What is proposed, to whom and when is decided in renovate.json5, which is reviewed like
// everything else; here stands only what a repository may not decide for itself.
module.exports = {
  platform: 'gitlab',
  // GitLab gives both to every job.
  endpoint: process.env.CI_API_V4_URL,
  repositories: [process.env.CI_PROJECT_PATH],
  // A pipeline names kiban's project by the server that it runs on; its tags are looked up there.
  gitlabci: { registryAliases: { $CI_SERVER_FQDN: process.env.CI_SERVER_FQDN || '$CI_SERVER_FQDN' } },
  onboarding: false,
  requireConfig: 'required',
  persistRepoData: true,
  // The one command that merge requests may run, and nothing around it: no shell.
  allowedCommands: ['^kiban pin [a-z0-9][a-z0-9.-]*$'],
  allowShellExecutorForPostUpgradeCommands: false,
  // Nothing is installed while it runs; kiban is put there by the job.
  binarySource: 'global',
  // Chart repositories and registries inside the network need a rule each, once Renovate's internalHostAccess is "block":
  // hostRules: [{ matchHost: 'https://charts.example.com', allowInternal: true }],
};
