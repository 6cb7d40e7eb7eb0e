/* 图文直播 for browsers that cannot read the page: plain ES5, no styles of its own. It comes up by itself where modules
   are unknown or the page's script fails to load or to be read, and by ?old=1. */
(function () {
  'use strict'
  var root = document.getElementById('app')
  var cid = (/^\/live\/([^/]+)/.exec(location.pathname) || [])[1]
  if (!root || !cid) return
  var base = '/api/v1/public/consultations/' + cid
  var started = false
  var began = null

  function element(name, text, parent) {
    var made = document.createElement(name)
    if (text) made.appendChild(document.createTextNode(text))
    if (parent) parent.appendChild(made)
    return made
  }

  function two(number) {
    return (number < 10 ? '0' : '') + number
  }

  function clock(ms) {
    var at = new Date((began || 0) + ms)
    return two(at.getHours()) + ':' + two(at.getMinutes())
  }

  function get(path, done) {
    var request = new XMLHttpRequest()
    request.onreadystatechange = function () {
      if (request.readyState !== 4) return
      var body = null
      try {
        body = request.status === 200 ? JSON.parse(request.responseText) : null
      } catch (_) { // eslint-disable-line @typescript-eslint/no-unused-vars -- ES5 has no catch without a name
        body = null
      }
      done(request.status, body)
    }
    request.open('GET', path, true)
    request.send()
  }

  function words(page) {
    if (page.cut) return '直播暂时中断，恢复后会自动显示。'
    if (page.status === 'live') return '直播中'
    if (page.status === 'scheduled') return '直播还没有开始，请稍后回来。'
    if (page.status === 'postponed') return '会议已延期。'
    if (page.status === 'cancelled') return '会议已取消。'
    return '直播已结束。'
  }

  function line(entry) {
    if (entry.kind === 'item') return clock(entry.at_ms) + '　进入议程：' + entry.text
    if (entry.kind === 'promotion') return clock(entry.at_ms) + '　网友留言上会：' + entry.text
    return clock(entry.at_ms) + '　' + entry.text + (entry.line ? '（' + entry.line + '）' : '') + '开始发言'
  }

  function draw(page, text) {
    var i, item, list, picture, place
    began = page.started_wall_ms
    place = document.createElement('div')
    place.className = 'boot'
    place.setAttribute('data-testid', 'old-page')
    element('h1', page.title, place)
    element('p', '浏览器版本太旧，放不了直播画面。请用新版的浏览器打开本链接，或换一部手机，链接不变。下面是图文直播。', place)
    element('p', words(page), place).style.fontWeight = 'bold'
    for (i = 0; i < page.agenda.length; i++) {
      item = page.agenda[i]
      if (item.id === page.current_item) element('p', '当前议程：' + item.title, place)
    }
    if (page.speaker) element('p', '正在发言：' + page.speaker.name + '　' + page.speaker.line, place)
    if (text && text.still && !page.cut) {
      picture = element('img', '', place)
      picture.src = text.still.url
      picture.alt = clock(text.still.at_ms) + ' 的画面'
      picture.style.maxWidth = '100%'
      element('p', clock(text.still.at_ms) + ' 的画面', place)
    }
    list = element('ul', '', place)
    for (i = 0; text && i < text.items.length; i++) if (text.items[i].kind !== 'still') element('li', line(text.items[i]), list)
    root.innerHTML = ''
    root.appendChild(place)
    document.title = page.title + ' · 图文直播'
  }

  function ask() {
    get(base, function (status, page) {
      if (page) {
        get(base + '/text', function (_status, text) {
          draw(page, text)
        })
      } else if (status === 404) {
        root.innerHTML = ''
        element('p', '没有找到这场直播。它可能不对外公开，或者链接不完整，请向会务组核对链接。', root).className = 'boot'
      }
      setTimeout(ask, 10000 + Math.random() * 2000)
    })
  }

  function start() {
    if (started || root.hasAttribute('data-v-app')) return
    started = true
    ask()
  }

  if (!('noModule' in document.createElement('script')) || /[?&]old=1/.test(location.search)) start()
  window.addEventListener('error', function (event) {
    var from = event.target && event.target.tagName === 'SCRIPT'
    if (from || (event.filename && event.filename.indexOf('/assets/') >= 0)) start()
  }, true)
})()
