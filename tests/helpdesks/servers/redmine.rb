# Seeds Redmine, and prints the keys of its accounts and the ids that it gave as JSON.
Setting.rest_api_enabled = '1'
Setting.default_language = 'en'
trackers = Tracker.all.to_a

field = IssueCustomField.create!(
  name: 'Portal key', field_format: 'string', is_filter: true, is_for_all: true, trackers: trackers
)
unfiltered = IssueCustomField.create!(
  name: 'Other key', field_format: 'string', is_filter: false, is_for_all: true, trackers: trackers
)

projects = %w[support network elsewhere].map do |name|
  Project.create!(
    name: name.capitalize, identifier: name, is_public: false, trackers: trackers,
    enabled_module_names: %w[issue_tracking]
  )
end

def make_role(name, permissions)
  role = Role.create!(name: name, issues_visibility: 'all', permissions: permissions)
  last = IssueStatus.all
  Tracker.all.each do |tracker|
    last.each { |from| last.each { |to|
      WorkflowTransition.create!(role: role, tracker: tracker, old_status: from, new_status: to) unless from == to
    } }
    last.each { |to| WorkflowTransition.create!(role: role, tracker: tracker, old_status_id: 0, new_status: to) }
  end if permissions.include?(:edit_issues)
  role
end

reads = %i[view_issues]
writes = %i[add_issues edit_issues add_issue_notes view_private_notes set_notes_private]
roles = {
  'portal' => make_role('Portal', reads + writes),
  'anna' => make_role('Agent', reads + writes + %i[delete_issues]),
  'deaf' => make_role('Deaf', reads + writes - %i[view_private_notes]),
  'reader' => make_role('Reader', reads + %i[add_issues add_issue_notes]),
  'powerless' => nil,
}
keys = roles.to_h do |login, role|
  user = User.new(firstname: login.capitalize, lastname: 'Desk', mail: "#{login}@desk.example", mail_notification: 'none')
  user.login = login
  user.password = user.password_confirmation = 'correct horse battery'
  user.save!
  projects.first(2).each { |project| Member.create!(project: project, principal: user, roles: [role]) } if role
  [login, user.api_key]
end
puts({ keys: keys, field: field.id, unfiltered: unfiltered.id }.to_json)
