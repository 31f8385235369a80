"""The bench on many machines, through a scheduler that is already there: Slurm or Kubernetes.

A fleet file names node types; the plan is one cell per type, stack and framework (or row); a cell that the scheduler
starts is an attempt. The scheduler queues, places, requeues and limits; nothing of ours has to stay alive.

    config     the fleet file, checked
    plan       its cells
    folder     what a run keeps on disk: journal, submissions, attempts
    submit     what `make fleet` does
    status     the state of each cell
    gather     the newest valid records into a results folder
    schedulers Slurm and Kubernetes
    node       what runs on a node
"""
