package lifecycle

import "fmt"

// TakeMarkBack is the command that has a cluster no longer say which site it is.
const TakeMarkBack = "kubectl -n kube-system delete configmap kiban-site"

// OtherCluster finds that a cluster is not this site's: uid is that of its kube-system namespace, marked the site whose mark it carries;
// each is "" when it is not known. ok is false when nothing speaks against it.
func (s Site) OtherCluster(uid, marked string) (d Diagnostic, ok bool) {
	switch {
	case s.API.ClusterUID != "" && uid != "" && uid != s.API.ClusterUID:
		return Errorf(s.Name, "this is another cluster than the site's").
			Because(fmt.Sprintf("Its kube-system namespace has the UID %s; spec.api.clusterUID of the Site says %s.", uid, s.API.ClusterUID)).
			Try("Look at the kubeconfig and its context. If the cluster was made anew, write its UID into spec.api.clusterUID."), true
	case marked != "" && marked != s.Name:
		return Errorf(s.Name, "the cluster says that it is site %s", marked).
			Because("ConfigMap kube-system/kiban-site names it. Two sites that change one cluster would undo each other's work.").
			Try(fmt.Sprintf("Look at the way to the API (spec.api of the Site). If %s was renamed to %s: "+
				TakeMarkBack, marked, s.Name)), true
	}
	return Diagnostic{}, false
}
